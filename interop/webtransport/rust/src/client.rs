//! The client: everything a session can do, one after the other.

use crate::{echo, Result};
use std::time::Duration;
use url::Url;
use web_transport_quinn::{
    proto::{ConnectError::WrongStatus, ConnectRequest},
    Client, ClientBuilder, ClientError, ConnectError, ReadError, Session, SessionError,
    WebTransportError, WriteError,
};

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn run(url: &str, hash: &str) -> Result {
    let base = Url::parse(url)?;
    let client = ClientBuilder::new().with_server_certificate_hashes(vec![unhex(hash)?])?;

    let session = client.connect(base.join("/echo")?).await?;
    println!("ok ready");
    step("datagram", datagram(&session)).await?;
    for n in [0, 1, 64 << 10, 8 << 20] {
        step(&format!("echo {n}"), echo::through(&session, n)).await?;
    }
    step("unidirectional", unidirectional(&session)).await?;
    step("reset", reset(&session)).await?;
    step("stop", stop(&session)).await?;
    session.close(77, b"enough");
    session.closed().await;

    step("push", push(&client, base.join("/push")?)).await?;
    step("close", close(&client, base.join("/close")?)).await?;
    step("rejection", rejection(&client, base.join("/reject")?)).await?;
    step(
        "subprotocol",
        subprotocol(&client, base.join("/subprotocol")?),
    )
    .await
}

/// Does something, within bounds, and says that it worked.
async fn step(name: &str, work: impl std::future::Future<Output = Result>) -> Result {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(())) => {
            println!("ok {name}");
            Ok(())
        }
        Ok(Err(err)) => Err(format!("{name}: {err}").into()),
        Err(_) => Err(format!("{name}: waited in vain").into()),
    }
}

async fn datagram(session: &Session) -> Result {
    session.send_datagram(b"ping".to_vec().into())?;
    want(&session.read_datagram().await?[..], &b"ping"[..])
}

async fn unidirectional(session: &Session) -> Result {
    for i in 0..50u8 {
        let mut send = session.open_uni().await?;
        send.write_all(&[i]).await?;
        send.finish()?;
        let mut recv = session.accept_uni().await?;
        want(echo::read_all(&mut recv).await?, vec![i])?;
    }
    Ok(())
}

/// Wants the code of a reset back, as that of another.
async fn reset(session: &Session) -> Result {
    for code in [0, 0x1d, 0x1e, 255, u32::MAX] {
        let (mut send, mut recv) = session.open_bi().await?;
        send.write_all(b"x").await?;
        recv.read_exact(&mut [0]).await?; // or the reset might lose the header
        send.reset(code)?;
        match echo::read_all(&mut recv).await {
            Err(ReadError::Reset(got)) => want(got, code)?,
            other => return Err(format!("reading ended with {other:?}").into()),
        }
    }
    Ok(())
}

/// Wants the code of a STOP_SENDING back, as that of another.
async fn stop(session: &Session) -> Result {
    for code in [0, 0x1d, 0x1e, 255, u32::MAX] {
        let (mut send, mut recv) = session.open_bi().await?;
        send.write_all(b"x").await?;
        recv.read_exact(&mut [0]).await?;
        recv.stop(code)?;
        let err = loop {
            if let Err(err) = send.write_all(&[0; 1000]).await {
                break err;
            }
            tokio::task::yield_now().await;
        };
        match err {
            WriteError::Stopped(got) => want(got, code)?,
            other => return Err(format!("writing ended with {other:?}").into()),
        }
    }
    Ok(())
}

/// Takes what the server begins.
async fn push(client: &Client, url: Url) -> Result {
    let session = client.connect(url).await?;
    let (_, mut both) = session.accept_bi().await?;
    want(echo::read_all(&mut both).await?, b"hello".to_vec())?;
    let mut one = session.accept_uni().await?;
    want(echo::read_all(&mut one).await?, b"hello".to_vec())?;
    want(&session.read_datagram().await?[..], &b"hello"[..])?;
    let (mut ready, mut reset) = session.accept_bi().await?;
    ready.write_all(&[1]).await?; // or the reset might lose the header
    match echo::read_all(&mut reset).await {
        Err(ReadError::Reset(7)) => {}
        other => return Err(format!("reading ended with {other:?}").into()),
    }
    session.close(0, b"");
    session.closed().await;
    Ok(())
}

async fn close(client: &Client, url: Url) -> Result {
    match client.connect(url).await?.closed().await {
        SessionError::WebTransportError(WebTransportError::Closed(code, reason)) => {
            want((code, reason.as_str()), (41, "closed by the server"))
        }
        other => Err(format!("ended with {other}").into()),
    }
}

async fn rejection(client: &Client, url: Url) -> Result {
    match client.connect(url).await {
        Err(ClientError::HttpError(ConnectError::ProtoError(WrongStatus(Some(status))))) => {
            want(status.as_u16(), 404)
        }
        Err(other) => Err(other.into()),
        Ok(_) => Err("accepted".into()),
    }
}

async fn subprotocol(client: &Client, url: Url) -> Result {
    let request = ConnectRequest::new(url).with_protocols(["a".into(), "b".into()]);
    let session = client.connect(request).await?;
    want(session.protocol(), Some("b"))?;
    session.close(0, b"");
    session.closed().await;
    Ok(())
}

fn want<T: PartialEq + std::fmt::Debug>(got: T, want: T) -> Result {
    if got != want {
        return Err(format!("got {got:?}, want {want:?}").into());
    }
    Ok(())
}

fn unhex(s: &str) -> Result<Vec<u8>> {
    (0..s.len() / 2)
        .map(|i| Ok(u8::from_str_radix(&s[2 * i..2 * i + 2], 16)?))
        .collect()
}
