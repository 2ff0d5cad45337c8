//! The server: what a session does depends on its path.

use crate::{echo, Result};
use web_transport_quinn::{
    http::StatusCode,
    proto::ConnectResponse,
    quinn::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    Request, ServerBuilder, Session, SessionError, WebTransportError,
};

pub async fn run(certificate: &str, key: &str) -> Result {
    let certificate = CertificateDer::from(std::fs::read(certificate)?);
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(std::fs::read(key)?));
    let mut server = ServerBuilder::new()
        .with_addr("127.0.0.1:0".parse()?)
        .with_certificate(vec![certificate], key)?;
    println!("{}", server.local_addr()?);
    while let Some(request) = server.accept().await {
        tokio::spawn(async move {
            if let Err(err) = handle(request).await {
                println!("failed: {err}");
            }
        });
    }
    Ok(())
}

async fn handle(request: Request) -> Result {
    match request.url.path() {
        "/echo" => {
            let session = request.ok().await?;
            echo::run(session.clone()).await;
            report(&session).await;
        }
        "/push" => push(&request.ok().await?).await?,
        "/close" => {
            let session = request.ok().await?;
            session.close(41, b"closed by the server");
            session.closed().await;
        }
        "/subprotocol" => {
            let session = request
                .respond(ConnectResponse::OK.with_protocol("b"))
                .await?;
            report(&session).await;
        }
        _ => {
            let conn = request.conn().clone();
            request.reject(StatusCode::NOT_FOUND).await?;
            conn.closed().await;
        }
    }
    Ok(())
}

/// Opens a stream of each kind, with a word on it, resets another, and sends a
/// datagram.
async fn push(session: &Session) -> Result {
    let (mut both, _receiving) = session.open_bi().await?;
    both.write_all(b"hello").await?;
    both.finish()?;
    let mut one = session.open_uni().await?;
    one.write_all(b"hello").await?;
    one.finish()?;
    session.send_datagram(b"hello".to_vec().into())?;
    let (mut reset, mut answer) = session.open_bi().await?;
    reset.write_all(b"hello").await?;
    answer.read_exact(&mut [0]).await?; // or the reset might lose the header
    reset.reset(7)?;
    report(session).await;
    Ok(())
}

/// Prints how a session ends.
async fn report(session: &Session) {
    match session.closed().await {
        SessionError::WebTransportError(WebTransportError::Closed(code, reason)) => {
            println!("closed {code} {reason}")
        }
        err => println!("ended: {err}"),
    }
}
