//! quinn as the QUIC Interop Runner wants it.

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use contract::{Environment, HQ, MAX_REQUEST, Request, fail, unsupported};
use quinn::{
    ClientConfig, Endpoint, Incoming, RecvStream, SendStream, ServerConfig, TransportConfig, VarInt,
    crypto::rustls::{QuicClientConfig, QuicServerConfig},
};
use rustls::{
    DigitallySignedStruct, KeyLogFile, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const NO_V2: &str = "quinn knows version 1 alone";
const NO_H3: &str = "quinn has no HTTP/3";
/// What a file may have that is read into memory.
const MAX_FILE: usize = 64 << 20;

// One thread, so that requests that are written at once share packets: forty packets of early
// data would overflow the queue of 25 that the network has.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let env = Arc::new(Environment::read());
    let done = if env.server { serve(env).await } else { fetch(env).await };
    if let Err(e) = done {
        fail(e);
    }
}

fn provider(env: &Environment) -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    if env.testcase == "chacha20" {
        provider.cipher_suites = vec![ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256];
    }
    Arc::new(provider)
}

/// The suite of Initial packets, which is the same whatever TLS may use.
fn initial() -> Result<rustls::quic::Suite> {
    let suite = ring::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13();
    suite.and_then(|s| s.quic_suite()).ok_or("no AES".into())
}

fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport.max_idle_timeout(Some(VarInt::from_u32(60_000).into()));
    transport
}

async fn serve(env: Arc<Environment>) -> Result<()> {
    match env.testcase.as_str() {
        "handshake" | "transfer" | "resumption" | "multiconnect" | "zerortt" | "retry" | "chacha20" => {}
        "v2" => unsupported(NO_V2),
        "http3" => unsupported(NO_H3),
        other => unsupported(other),
    }
    let certs: std::result::Result<Vec<_>, _> = CertificateDer::pem_file_iter(env.cert("cert.pem"))?.collect();
    let mut tls = rustls::ServerConfig::builder_with_provider(provider(&env))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(certs?, PrivateKeyDer::from_pem_file(env.cert("priv.key"))?)?;
    tls.alpn_protocols = vec![HQ.to_vec()];
    tls.key_log = Arc::new(KeyLogFile::new());
    if env.testcase == "zerortt" {
        tls.max_early_data_size = u32::MAX;
    }
    let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::with_initial(Arc::new(tls), initial()?)?));
    config.transport_config(Arc::new(transport()));
    let endpoint = Endpoint::server(config, env.address)?;
    while let Some(incoming) = endpoint.accept().await {
        if env.testcase == "retry" && !incoming.remote_address_validated() {
            incoming.retry()?;
            continue;
        }
        tokio::spawn(serve_connection(env.clone(), incoming));
    }
    Ok(())
}

async fn serve_connection(env: Arc<Environment>, incoming: Incoming) -> Result<()> {
    let connection = match incoming.accept()?.into_0rtt() {
        Ok((connection, _)) => connection,
        Err(connecting) => connecting.await?,
    };
    while let Ok((send, recv)) = connection.accept_bi().await {
        let env = env.clone();
        tokio::spawn(async move { answer(&env, send, recv).await });
    }
    Ok(())
}

async fn answer(env: &Environment, mut send: SendStream, mut recv: RecvStream) -> Result<()> {
    let line = recv.read_to_end(MAX_REQUEST).await?;
    send.write_all(&env.answer(&line)?).await?;
    Ok(send.finish()?)
}

struct Client {
    env: Arc<Environment>,
    config: ClientConfig,
    early: bool,
}

async fn fetch(env: Arc<Environment>) -> Result<()> {
    match env.testcase.as_str() {
        "v2" => unsupported(NO_V2),
        "http3" => unsupported(NO_H3),
        _ => {}
    }
    let mut tls = rustls::ClientConfig::builder_with_provider(provider(&env))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider(&env))))
        .with_no_client_auth();
    tls.alpn_protocols = vec![HQ.to_vec()];
    tls.key_log = Arc::new(KeyLogFile::new());
    tls.enable_early_data = env.testcase == "zerortt";
    let early = tls.enable_early_data;
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::with_initial(Arc::new(tls), initial()?)?));
    let mut transport = transport();
    transport.mtu_discovery_config(None); // its probes count as 1-RTT data where that should be little
    if env.testcase == "transfer" {
        transport.stream_receive_window(VarInt::from_u32(64 << 10)).receive_window(VarInt::from_u32(128 << 10));
    }
    config.transport_config(Arc::new(transport));
    let client = Client { env: env.clone(), config, early };
    let all = env.requests.clone();
    match env.testcase.as_str() {
        "handshake" | "transfer" | "retry" | "chacha20" | "keyupdate" => client.fetch(all, false).await,
        "multiconnect" => {
            for request in all {
                client.fetch(vec![request], false).await?;
            }
            Ok(())
        }
        "resumption" | "zerortt" => {
            client.fetch(all[..1].to_vec(), false).await?;
            client.fetch(all[1..].to_vec(), true).await
        }
        other => unsupported(other),
    }
}

impl Client {
    /// Fetches files over one connection, the second of a case if again.
    async fn fetch(&self, requests: Vec<Request>, again: bool) -> Result<()> {
        let any: SocketAddr = if requests[0].address.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" }.parse()?;
        let endpoint = Endpoint::client(any)?;
        let connecting = endpoint.connect_with(self.config.clone(), requests[0].address, "localhost")?;
        let (connection, accepted) = match (self.early && again, connecting) {
            (true, connecting) => match connecting.into_0rtt() {
                Ok((connection, accepted)) => (connection, Some(accepted)),
                Err(_) => return Err("no session for early data".into()),
            },
            (false, connecting) => (connecting.await?, None),
        };
        if self.env.testcase == "keyupdate" {
            // Not before the handshake is confirmed (RFC 9001, Section 6.1), of which quinn does not tell.
            tokio::time::sleep(Duration::from_millis(200)).await;
            connection.force_key_update();
        }
        let mut tasks = Vec::new();
        for request in requests {
            let (mut send, recv) = connection.open_bi().await?;
            send.write_all(&request.line()).await?;
            send.finish()?;
            tasks.push(tokio::spawn(save(self.env.clone(), recv, request)));
        }
        for task in tasks {
            task.await??;
        }
        if let Some(accepted) = accepted
            && !accepted.await
        {
            return Err("the server has rejected early data".into());
        }
        tokio::time::sleep(Duration::from_millis(200)).await; // for tickets
        connection.close(VarInt::from_u32(0), b"");
        endpoint.wait_idle().await;
        Ok(())
    }
}

async fn save(env: Arc<Environment>, mut recv: RecvStream, request: Request) -> Result<()> {
    let content = recv.read_to_end(MAX_FILE).await?;
    Ok(env.save(&request.path, &content)?)
}

/// Takes every certificate: those of the case amplificationlimit are more than rustls
/// follows.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
