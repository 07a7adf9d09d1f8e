//! Decompresses request bodies (`Content-Encoding`).
//!
//! Guarantees: every member of a gzip body and every frame of a zstd body is decoded. A body that is truncated, corrupt, or followed by
//! other bytes fails with an [`EncodingError`], so that no data is silently dropped. Decoding is lazy, so limits count decompressed bytes;
//! one body takes at most 8 MiB for its zstd window (RFC 9659).

use std::io;

use async_compression::{
    tokio::bufread::{GzipDecoder, ZstdDecoder},
    zstd::DParameter,
};
use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use futures::TryStreamExt;
use tokio::io::AsyncRead;
use tokio_util::io::{ReaderStream, StreamReader};

use crate::rejection::{Detail, ProblemCode, Rejection};

/// Value of `Accept-Encoding` in the response to an unsupported encoding.
pub const SUPPORTED: &str = "gzip, zstd, identity";

/// Size of the buffer for decompressed bytes.
const BUFFER_BYTES: usize = 65_536;

/// Base-two logarithm of the largest zstd window.
const ZSTD_WINDOW_LOG: u32 = 23;

/// Why a compressed body cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodingError {
    /// The body ends inside a member or frame.
    #[error("the compressed body is truncated")]
    Truncated(#[source] io::Error),
    /// The body is corrupt, or other bytes follow it.
    #[error("the compressed body is corrupt")]
    Corrupt(#[source] io::Error),
}

/// A supported content encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Gzip,
    Zstd,
}

impl Encoding {
    /// The encoding from the headers; `None` for an uncompressed body.
    fn of(headers: &HeaderMap) -> Result<Option<Self>, Rejection> {
        let unsupported = || Rejection::new(ProblemCode::UnsupportedEncoding, Detail::Encodings);
        let mut found = None;
        for value in headers.get_all(header::CONTENT_ENCODING) {
            let value = value.to_str().map_err(|_| unsupported())?.to_ascii_lowercase();
            for name in value.split(',').map(str::trim) {
                let encoding = match name {
                    "" | "identity" => continue,
                    "gzip" | "x-gzip" => Self::Gzip,
                    "zstd" => Self::Zstd,
                    _ => return Err(unsupported()),
                };
                if found.replace(encoding).is_some() {
                    return Err(Rejection::new(ProblemCode::UnsupportedEncoding, Detail::EncodedTwice));
                }
            }
        }
        Ok(found)
    }

    fn decode(self, body: Body) -> Body {
        let compressed = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
        match self {
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(compressed);
                decoder.multiple_members(true);
                into_body(decoder)
            }
            Self::Zstd => {
                let mut decoder = ZstdDecoder::with_params(compressed, &[DParameter::window_log_max(ZSTD_WINDOW_LOG)]);
                decoder.multiple_members(true);
                into_body(decoder)
            }
        }
    }
}

fn into_body(decoder: impl AsyncRead + Send + 'static) -> Body {
    Body::from_stream(ReaderStream::with_capacity(decoder, BUFFER_BYTES).map_err(classify))
}

/// Passes on connection errors; every other error concerns the compression.
fn classify(error: io::Error) -> axum::BoxError {
    if error.get_ref().is_some_and(|inner| inner.is::<axum::Error>()) {
        error.into()
    } else if error.kind() == io::ErrorKind::UnexpectedEof {
        EncodingError::Truncated(error).into()
    } else {
        EncodingError::Corrupt(error).into()
    }
}

/// The decompressed body; removes `Content-Encoding` and `Content-Length` accordingly.
pub fn decode(headers: &mut HeaderMap, body: Body) -> Result<Body, (Rejection, Body)> {
    let body = match Encoding::of(headers) {
        Ok(None) => body,
        Ok(Some(encoding)) => {
            headers.remove(header::CONTENT_LENGTH);
            encoding.decode(body)
        }
        Err(rejection) => return Err((rejection, body)),
    };
    headers.remove(header::CONTENT_ENCODING);
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use axum::http::HeaderValue;
    use flate2::{Compression, write::GzEncoder};
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[&str]) -> Result<Option<Encoding>, ProblemCode> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CONTENT_ENCODING, HeaderValue::from_str(value).unwrap());
        }
        Encoding::of(&headers).map_err(|rejection| rejection.code)
    }

    #[test]
    fn encodings_are_read_in_any_case_and_as_lists() {
        for (values, expected) in [
            (&["GZIP"][..], Some(Encoding::Gzip)),
            (&["x-gzip"], Some(Encoding::Gzip)),
            (&["Zstd"], Some(Encoding::Zstd)),
            (&["identity, gzip ,"], Some(Encoding::Gzip)),
            (&["identity", "zstd"], Some(Encoding::Zstd)),
            (&["Identity"], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(of(values), Ok(expected), "{values:?}");
        }
        for values in [&["br"][..], &["gzip, gzip"], &["gzip", "zstd"], &["gzip;q=1"]] {
            assert_eq!(of(values), Err(ProblemCode::UnsupportedEncoding), "{values:?}");
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Decodes a body that arrives in pieces of one size.
    fn decoded(encoding: Encoding, compressed: &[u8], size: usize) -> Option<Vec<u8>> {
        let pieces: Vec<_> = compressed.chunks(size).map(|piece| Ok::<_, io::Error>(piece.to_vec())).collect();
        let body = encoding.decode(Body::from_stream(futures::stream::iter(pieces)));
        futures::executor::block_on(body.collect()).ok().map(|body| body.to_bytes().to_vec())
    }

    proptest! {
        #[test]
        fn however_members_arrive_all_of_them_are_decoded(
            members in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..4),
            size in 1..80_usize,
        ) {
            let plain = members.concat();
            let gzipped: Vec<u8> = members.iter().flat_map(|member| gzip(member)).collect();
            prop_assert_eq!(decoded(Encoding::Gzip, &gzipped, size), Some(plain.clone()));
            let frames: Vec<u8> = members.iter().flat_map(|member| zstd::encode_all(&member[..], 1).unwrap()).collect();
            prop_assert_eq!(decoded(Encoding::Zstd, &frames, size), Some(plain));
            for (encoding, whole) in [(Encoding::Gzip, &gzipped), (Encoding::Zstd, &frames)] {
                for rest in [&b"\0"[..], b"x", b"\x1f", b"\x1f\x8b\x08", b"\x28", b"\x28\xb5\x2f\xfd", b"[]"] {
                    prop_assert_eq!(decoded(encoding, &[&whole[..], rest].concat(), size), None, "{:?} followed by {:?}", encoding, rest);
                }
            }
        }

        #[test]
        fn a_body_that_is_cut_off_is_never_whole(plain in prop::collection::vec(any::<u8>(), 0..300), cut in 0.0..1.0_f64, size in 1..80_usize) {
            for (encoding, whole) in [(Encoding::Gzip, gzip(&plain)), (Encoding::Zstd, zstd::encode_all(&plain[..], 1).unwrap())] {
                let length = (whole.len() as f64 * cut) as usize;
                prop_assert_eq!(decoded(encoding, &whole[..length], size), None);
            }
        }
    }
}
