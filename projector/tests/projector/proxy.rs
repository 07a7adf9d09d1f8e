//! A TCP proxy in front of ClickHouse that can drop a response or stop forwarding.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const PASS: u8 = 0;
const SILENT: u8 = 1;

#[derive(Clone)]
pub struct Proxy {
    address: SocketAddr,
    drop_next: Arc<AtomicU32>,
    mode: Arc<AtomicU8>,
    dropped: Arc<AtomicU32>,
}

impl Proxy {
    /// Starts a proxy to an `http://host:port` address.
    pub async fn before(url: &str) -> Self {
        let target = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy =
            Self { address: listener.local_addr().unwrap(), drop_next: Arc::default(), mode: Arc::default(), dropped: Arc::default() };
        let serving = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (serving, target) = (serving.clone(), target.clone());
                tokio::spawn(async move { serving.serve(client, &target).await });
            }
        });
        proxy
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Drops the next `count` responses to inserts: the server has applied the insert, and the connection is closed.
    pub fn drop_insert_responses(&self, count: u32) {
        self.drop_next.store(count, Ordering::SeqCst);
    }

    /// Number of responses dropped so far.
    pub fn dropped(&self) -> u32 {
        self.dropped.load(Ordering::SeqCst)
    }

    /// While silent, no bytes are forwarded and connections stay open.
    pub fn set_silent(&self, silent: bool) {
        self.mode.store(if silent { SILENT } else { PASS }, Ordering::SeqCst);
    }

    async fn serve(&self, mut client: TcpStream, target: &str) {
        let Ok(mut server) = TcpStream::connect(target).await else { return };
        let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        let mut inserting = false;
        loop {
            tokio::select! {
                read = client.read(&mut up) => {
                    let Ok(read @ 1..) = read else { return };
                    self.wait_while_silent().await;
                    if up[..read].starts_with(b"POST ") {
                        let head = String::from_utf8_lossy(&up[..read.min(400)]).into_owned();
                        inserting = head.contains("INSERT+INTO");
                    }
                    if server.write_all(&up[..read]).await.is_err() { return }
                }
                read = server.read(&mut down) => {
                    let Ok(read @ 1..) = read else { return };
                    self.wait_while_silent().await;
                    let take = |left: u32| left.checked_sub(1);
                    if inserting && self.drop_next.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok() {
                        self.dropped.fetch_add(1, Ordering::SeqCst);
                        return;
                    }
                    if client.write_all(&down[..read]).await.is_err() { return }
                }
            }
        }
    }

    async fn wait_while_silent(&self) {
        while self.mode.load(Ordering::SeqCst) == SILENT {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}
