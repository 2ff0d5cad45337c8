//! A session that sends everything back, on either side.

use crate::Result;
use web_transport_quinn::{ReadError, RecvStream, SendStream, Session, WriteError};

/// Sends back what comes on streams and in datagrams until the session ends.
pub async fn run(session: Session) {
    tokio::join!(
        bidirectional(&session),
        unidirectional(&session),
        datagrams(&session)
    );
}

async fn bidirectional(session: &Session) {
    while let Ok((send, recv)) = session.accept_bi().await {
        tokio::spawn(copy(recv, send));
    }
}

async fn unidirectional(session: &Session) {
    while let Ok(recv) = session.accept_uni().await {
        let session = session.clone();
        tokio::spawn(async move {
            if let Ok(send) = session.open_uni().await {
                copy(recv, send).await;
            }
        });
    }
}

async fn datagrams(session: &Session) {
    while let Ok(datagram) = session.read_datagram().await {
        let _ = session.send_datagram(datagram); // it may be lost anyway
    }
}

/// Copies one stream to the other. A reset is answered by one with the same code,
/// and so is a STOP_SENDING.
async fn copy(mut recv: RecvStream, mut send: SendStream) {
    let mut buf = vec![0; 64 << 10];
    loop {
        match recv.read(&mut buf).await {
            Ok(Some(n)) => match send.write_all(&buf[..n]).await {
                Ok(()) => {}
                Err(WriteError::Stopped(code)) => {
                    let _ = recv.stop(code);
                    return;
                }
                Err(_) => return,
            },
            Ok(None) => {
                let _ = send.finish();
                let _ = send.stopped().await; // until it has arrived
                return;
            }
            Err(ReadError::Reset(code)) => {
                let _ = send.reset(code);
                return;
            }
            Err(_) => return,
        }
    }
}

/// Reads a stream to its end, in order: quinn's read_to_end counts bytes twice, and waits
/// for ever, if those before were sent again when it begins.
pub async fn read_all(recv: &mut RecvStream) -> std::result::Result<Vec<u8>, ReadError> {
    let mut all = Vec::new();
    let mut buf = vec![0; 64 << 10];
    while let Some(n) = recv.read(&mut buf).await? {
        all.extend_from_slice(&buf[..n]);
    }
    Ok(all)
}

/// Returns bytes that differ from offset to offset.
pub fn content(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i ^ i >> 8 ^ i >> 16) as u8).collect()
}

/// Sends content through an echo and wants it back.
pub async fn through(session: &Session, n: usize) -> Result {
    let (mut send, mut recv) = session.open_bi().await?;
    let data = content(n);
    let write = async {
        send.write_all(&data).await?;
        send.finish()?;
        Result::Ok(())
    };
    let read = async { Result::Ok(read_all(&mut recv).await?) };
    let ((), back) = tokio::try_join!(write, read)?;
    if back != data {
        return Err(format!("{} bytes came back differently as {}", n, back.len()).into());
    }
    Ok(())
}
