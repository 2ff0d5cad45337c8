//! quinn-perf answers the QUIC performance protocol with quinn, and echoes
//! datagrams:
//!
//!     quinn-perf --listen 127.0.0.1:0 --cert FILE --key FILE
//!
//! It prints its address and serves until it is killed. Flow control windows
//! are the 16 MiB that every peer is given; the rest is quinn's default.

use std::{error::Error, net::SocketAddr, sync::Arc};

use quinn::{
    Connection, Endpoint, RecvStream, SendStream, ServerConfig, TransportConfig, VarInt,
    crypto::rustls::QuicServerConfig,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const WINDOW: u32 = 16 << 20;
/// How many bytes are written at a time, as Godwit's own server does.
const PIECE: usize = 256 << 10;

static ZEROS: [u8; PIECE] = [0; PIECE];

#[tokio::main]
async fn main() -> Result<()> {
    let option = |name: &str| -> Result<String> {
        let mut args = std::env::args().skip_while(|arg| arg != name);
        args.nth(1).ok_or_else(|| format!("{name} is missing").into())
    };
    let listen: SocketAddr = option("--listen")?.parse()?;
    let config = server_config(&option("--cert")?, &option("--key")?)?;
    let endpoint = Endpoint::server(config, listen)?;
    println!("{}", endpoint.local_addr()?);
    while let Some(incoming) = endpoint.accept().await {
        tokio::spawn(async move {
            if let Ok(connection) = incoming.await {
                serve(connection).await;
            }
        });
    }
    Ok(())
}

fn server_config(cert: &str, key: &str) -> Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(cert)?],
            PrivateKeyDer::from_pem_file(key)?,
        )?;
    tls.alpn_protocols = vec![b"perf".to_vec()];
    let mut transport = TransportConfig::default();
    transport
        .stream_receive_window(VarInt::from_u32(WINDOW))
        .receive_window(VarInt::from_u32(WINDOW))
        .send_window(u64::from(WINDOW));
    let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

async fn serve(connection: Connection) {
    let datagrams = connection.clone();
    tokio::spawn(async move {
        while let Ok(datagram) = datagrams.read_datagram().await {
            let _ = datagrams.send_datagram(datagram); // may get lost
        }
    });
    while let Ok((send, recv)) = connection.accept_bi().await {
        // An error is that of a connection or stream that the client has ended.
        tokio::spawn(async move { answer(send, recv).await.ok() });
    }
}

/// Reads a request, 8 bytes with a count and an upload, and answers with that
/// many bytes.
async fn answer(mut send: SendStream, mut recv: RecvStream) -> Result<()> {
    let mut head = [0; 8];
    recv.read_exact(&mut head).await?;
    while recv.read_chunk(PIECE, true).await?.is_some() {}
    let mut left = u64::from_be_bytes(head);
    while left > 0 {
        let piece = left.min(PIECE as u64) as usize;
        send.write_all(&ZEROS[..piece]).await?;
        left -= piece as u64;
    }
    send.finish()?;
    Ok(())
}
