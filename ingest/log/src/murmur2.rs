//! The partition of a key by Kafka's own murmur2, so that both logs put a key into the same partition.
//!
//! Public domain algorithm by Austin Appleby, with the seed and the sign rule of Kafka's default
//! partitioner (for keys that are not null the same as librdkafka's `murmur2_random`).

const SEED: u32 = 0x9747_b28c;
const M: u32 = 0x5bd1_e995;

/// Partition of a key among `partitions` (which must not be 0).
pub(crate) fn partition(key: &[u8], partitions: u32) -> u32 {
    (murmur2(key) & 0x7fff_ffff) % partitions
}

fn murmur2(data: &[u8]) -> u32 {
    // Kafka hashes the length as a 32-bit integer; keys are far shorter.
    let mut h = SEED ^ (data.len() as u32);
    let (chunks, tail) = data.as_chunks::<4>();
    for chunk in chunks {
        let mut k = u32::from_le_bytes(*chunk).wrapping_mul(M);
        k ^= k >> 24;
        h = h.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !tail.is_empty() {
        for (index, byte) in tail.iter().enumerate() {
            h ^= u32::from(*byte) << (8 * index);
        }
        h = h.wrapping_mul(M);
    }
    h ^= h >> 13;
    h = h.wrapping_mul(M);
    h ^ (h >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of Apache Kafka's own unit test (`UtilsTest.testMurmur2`).
    #[test]
    fn equals_kafkas_own_vectors() {
        for (key, hash) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
    }

    #[test]
    fn is_always_a_partition() {
        for partitions in [1, 2, 3, 12, 1000] {
            for key in 0..1000_u32 {
                assert!(partition(&key.to_be_bytes(), partitions) < partitions);
            }
        }
    }
}
