//! Serves HTTP/1 on a listener.
//!
//! Guarantees: connections are limited and shared fairly ([`Connections`]), and a new one is accepted at once. A connection whose request
//! head arrives too slowly is closed. After the stop the listener is closed, and open connections finish their requests. The service finds
//! the addresses of the connection ([`Peer`]) in the extensions of each request. Middleware and responses belong to it.

use std::{
    convert::Infallible,
    error::Error,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::{
    Request, Response,
    body::{Body, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    client::Peer,
    connections::{Connection, Connections, RunningRequest},
};

/// Limits of a listener's connections.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Most connections open at once.
    pub connections: usize,
    /// Longest time for the head of a request to arrive, and of an idle connection for the next one.
    pub head_timeout: Duration,
}

/// The body of a response; its connection is busy until the last part of it is handed to the connection.
struct RunningBody<B> {
    body: Pin<Box<B>>,
    _running: RunningRequest,
}

impl<B: Body> Body for RunningBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.body.as_mut().poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Serves until `stop`, then waits for open connections, however long they take.
pub async fn serve<S, B>(listener: TcpListener, service: S, limits: ConnectionLimits, stop: CancellationToken)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
    B: Body<Error: Into<Box<dyn Error + Send + Sync>>, Data: Send> + Send + 'static,
{
    let tasks = TaskTracker::new();
    let connections = Connections::new(limits.connections);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head_timeout);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener) => accepted,
        };
        let Some((stream, peer)) = accepted else { continue };
        // Over the limit the new connection is closed: its client has as many as any other, and all are busy.
        let Some(connection) = connections.open(peer.remote.into()) else { continue };
        tasks.spawn(serve_connection(http.clone(), service.clone(), Accepted { stream, peer, connection }, stop.clone()));
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

/// A connection that was accepted, with its addresses and its share of the limit.
struct Accepted {
    stream: TcpStream,
    peer: Peer,
    connection: Connection,
}

/// Serves the requests of one connection until it ends, must be closed for another one, or `stop`.
async fn serve_connection<S, B>(http: http1::Builder, service: S, accepted: Accepted, stop: CancellationToken)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    B: Body<Error: Into<Box<dyn Error + Send + Sync>>> + 'static,
{
    let Accepted { stream, peer, connection } = accepted;
    let service = service_fn(|mut request: Request<Incoming>| {
        let running = connection.request();
        request.extensions_mut().insert(peer);
        let response = service.call(request);
        async move { response.await.map(|response| response.map(|body| RunningBody { body: Box::pin(body), _running: running })) }
    });
    let mut exchange = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    // Errors of a connection concern only hyper and the client.
    tokio::select! {
        ended = exchange.as_mut() => drop(ended),
        () = connection.closing() => {}
        () = stop.cancelled() => {
            exchange.as_mut().graceful_shutdown();
            drop(exchange.await);
        }
    }
}

/// Accepts the next connection; waits a little after an error, such as too many open files.
async fn accept(listener: &TcpListener) -> Option<(TcpStream, Peer)> {
    let accepted = listener.accept().await.and_then(|(stream, remote)| {
        // Responses are small: send them without delay.
        drop(stream.set_nodelay(true));
        let peer = Peer { remote: remote.ip(), local: stream.local_addr()?.ip() };
        Ok((stream, peer))
    });
    match accepted {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A body of one byte that never ends.
    #[derive(Default)]
    struct Endless {
        sent: bool,
    }

    impl Body for Endless {
        type Data = &'static [u8];
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Infallible>>> {
            if std::mem::replace(&mut self.sent, true) { Poll::Pending } else { Poll::Ready(Some(Ok(Frame::data(b"x")))) }
        }
    }

    #[tokio::test]
    async fn a_connection_is_busy_until_its_response_is_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = service_fn(|_| async { Ok::<_, Infallible>(Response::new(Endless::default())) });
        let limits = ConnectionLimits { connections: 2, head_timeout: Duration::from_secs(60) };
        tokio::spawn(serve(listener, service, limits, CancellationToken::new()));
        let responding = async || {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            let mut response = Vec::new();
            while !response.ends_with(b"x\r\n") {
                stream.read_buf(&mut response).await.unwrap();
            }
            stream
        };
        let mut busy = responding().await;
        let mut idle = TcpStream::connect(address).await.unwrap();
        let _third = responding().await;
        tokio::select! {
            closed = idle.read_u8() => assert!(closed.is_err()),
            sent = busy.read_u8() => panic!("the busy connection ended: {sent:?}"),
        }
    }
}
