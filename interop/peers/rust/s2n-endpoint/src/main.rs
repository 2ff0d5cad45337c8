//! s2n-quic as the QUIC Interop Runner wants it.

use std::{error::Error, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use contract::{Environment, HQ, MAX_REQUEST, Request, fail, unsupported};
use s2n_quic::{
    Client, Server,
    client::Connect,
    provider::{
        endpoint_limits::{ConnectionAttempt, Limiter, Outcome},
        limits::Limits,
        tls::default,
    },
    stream::{BidirectionalStream, ReceiveStream},
};
use tokio::io::AsyncReadExt;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() {
    let env = Arc::new(Environment::read());
    match env.testcase.as_str() {
        "handshake" | "transfer" | "multiconnect" | "retry" => {}
        "chacha20" => unsupported("s2n-quic has no setting for the cipher suites of s2n-tls alone"),
        "resumption" => unsupported("s2n-quic resumes sessions by an unstable feature alone"),
        "zerortt" => unsupported("s2n-quic has no 0-RTT"),
        "http3" => unsupported("s2n-quic has no HTTP/3"),
        "v2" => unsupported("s2n-quic knows version 1 alone"),
        "keyupdate" => unsupported("s2n-quic has no call that begins a key update"),
        other => unsupported(other),
    }
    let done = if env.server { serve(env).await } else { fetch(env).await };
    if let Err(e) = done {
        fail(e);
    }
}

/// Who gets a connection: everybody, after a Retry packet or without.
struct Gate {
    retry: bool,
}

impl Limiter for Gate {
    fn on_connection_attempt(&mut self, _: &ConnectionAttempt) -> Outcome {
        if self.retry { Outcome::retry() } else { Outcome::allow() }
    }
}

fn limits(env: &Environment) -> Result<Limits> {
    let mut limits = Limits::new()
        .with_max_idle_timeout(Duration::from_secs(60))?
        .with_max_handshake_duration(Duration::from_secs(60))?;
    if !env.server && env.testcase == "transfer" {
        limits = limits.with_data_window(128 << 10)?.with_bidirectional_local_data_window(64 << 10)?;
    }
    Ok(limits)
}

async fn serve(env: Arc<Environment>) -> Result<()> {
    let tls = default::Server::builder()
        .with_certificate(Path::new(&env.cert("cert.pem")), Path::new(&env.cert("priv.key")))?
        .with_application_protocols([HQ])?
        .with_key_logging()?
        .build()?;
    let mut server = Server::builder()
        .with_tls(tls)?
        .with_io(env.address)?
        .with_endpoint_limits(Gate { retry: env.testcase == "retry" })?
        .with_limits(limits(&env)?)?
        .start()?;
    while let Some(mut connection) = server.accept().await {
        let env = env.clone();
        tokio::spawn(async move {
            while let Ok(Some(stream)) = connection.accept_bidirectional_stream().await {
                let env = env.clone();
                tokio::spawn(async move { answer(&env, stream).await });
            }
        });
    }
    Ok(())
}

async fn answer(env: &Environment, stream: BidirectionalStream) -> Result<()> {
    let (recv, mut send) = stream.split();
    let mut line = Vec::new();
    recv.take(MAX_REQUEST as u64).read_to_end(&mut line).await?;
    send.send(env.answer(&line)?.into()).await?;
    send.close().await?;
    Ok(())
}

async fn fetch(env: Arc<Environment>) -> Result<()> {
    if env.testcase != "multiconnect" {
        return fetch_all(&env, &env.requests).await;
    }
    for request in &env.requests {
        fetch_all(&env, std::slice::from_ref(request)).await?;
    }
    Ok(())
}

async fn fetch_all(env: &Arc<Environment>, requests: &[Request]) -> Result<()> {
    const CHAIN: u16 = 12; // certificates, more than the case amplificationlimit has
    let tls = default::Client::builder()
        .with_certificate(Path::new(&env.cert("ca.pem")))?
        .with_max_cert_chain_depth(CHAIN)?
        .with_application_protocols([HQ])?
        .with_key_logging()?
        .build()?;
    let any: SocketAddr = if requests[0].address.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" }.parse()?;
    let mut client = Client::builder().with_tls(tls)?.with_io(any)?.with_limits(limits(env)?)?.start()?;
    let mut connection = client.connect(Connect::new(requests[0].address).with_server_name("localhost")).await?;
    let mut tasks = Vec::new();
    for request in requests {
        let (recv, mut send) = connection.open_bidirectional_stream().await?.split();
        let (env, request) = (env.clone(), request.clone());
        tasks.push(tokio::spawn(async move {
            send.send(request.line().into()).await?;
            send.close().await?;
            save(&env, recv, &request).await
        }));
    }
    for task in tasks {
        task.await??;
    }
    connection.close(0u32.into());
    client.wait_idle().await?;
    Ok(())
}

async fn save(env: &Environment, mut recv: ReceiveStream, request: &Request) -> Result<()> {
    let mut content = Vec::new();
    recv.read_to_end(&mut content).await?;
    Ok(env.save(&request.path, &content)?)
}
