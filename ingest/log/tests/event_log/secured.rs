//! TLS and SASL, with a broker that requires both.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use qamtu_devstack::broker::{Broker, BrokerOverrides};
use qamtu_devstack::testing::broker_or_skip;
use qamtu_log::{KafkaConfig, LogConfig, LogError, SaslConfig, SaslMechanism, TlsConfig};

use crate::fixture::{LogFixture, append_all, broker_options, kafka_config, member, numbered, open_errors, run_test};

/// A broker with a self-signed certificate and two users: alice uses PLAIN, bob SCRAM.
struct SecureBroker {
    broker: Broker,
    folder: PathBuf,
}

fn secure_broker() -> Option<&'static SecureBroker> {
    static BROKER: OnceLock<Option<SecureBroker>> = OnceLock::new();
    BROKER.get_or_init(start).as_ref()
}

fn start() -> Option<SecureBroker> {
    // Without Java there is no keytool either; this skips with the usual message.
    qamtu_devstack::testing::shared_broker()?;
    let options = broker_options("secured");
    let folder = options.dir.join("certificates");
    std::fs::create_dir_all(&folder).expect("folder");
    certificate(&folder, "right", "ip:127.0.0.1");
    certificate(&folder, "stranger", "ip:127.0.0.1");
    let store = folder.join("right.p12").display().to_string();
    let plain = "org.apache.kafka.common.security.plain.PlainLoginModule required \
                 username=\"admin\" password=\"admin-secret\" user_admin=\"admin-secret\" user_alice=\"alice-secret\";";
    let settings = [
        ("listeners", "SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}"),
        ("advertised.listeners", "SASL_SSL://127.0.0.1:{port}"),
        ("inter.broker.listener.name", "SASL_SSL"),
        ("sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-512"),
        ("sasl.mechanism.inter.broker.protocol", "PLAIN"),
        ("listener.name.sasl_ssl.plain.sasl.jaas.config", plain),
        ("listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config", "org.apache.kafka.common.security.scram.ScramLoginModule required;"),
        ("ssl.keystore.type", "PKCS12"),
        ("ssl.keystore.location", &store),
        ("ssl.keystore.password", "password"),
        ("ssl.truststore.type", "PKCS12"),
        ("ssl.truststore.location", &store),
        ("ssl.truststore.password", "password"),
    ];
    let extras = BrokerOverrides {
        settings: settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        scram_users: vec![("bob".into(), "bob-secret".into())],
    };
    broker_or_skip(Broker::start_with(options, &extras)).map(|broker| SecureBroker { broker, folder })
}

/// Creates a key store with a self-signed certificate, and the certificate as PEM.
fn certificate(folder: &Path, name: &str, host: &str) {
    let store = folder.join(format!("{name}.p12"));
    let keytool = |arguments: &[&str]| {
        let status = Command::new("keytool")
            .args(arguments)
            .args(["-alias", name, "-storepass", "password", "-keystore"])
            .arg(&store)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.expect("keytool").success(), "keytool {arguments:?}");
    };
    let subject = format!("CN={name}");
    let host = format!("SAN={host}");
    keytool(&[
        "-genkeypair",
        "-keyalg",
        "RSA",
        "-keysize",
        "2048",
        "-dname",
        &subject,
        "-ext",
        &host,
        "-ext",
        "BC=ca:true",
        "-storetype",
        "PKCS12",
    ]);
    keytool(&["-exportcert", "-rfc", "-file", &folder.join(format!("{name}.pem")).display().to_string()]);
}

impl SecureBroker {
    fn config(&self, mechanism: SaslMechanism, username: &str, password: &str) -> KafkaConfig {
        KafkaConfig {
            topic_prefix: format!("t{}-", uuid::Uuid::new_v4().simple()),
            tls: Some(TlsConfig { ca_file: Some(self.folder.join("right.pem")), ..TlsConfig::default() }),
            sasl: Some(SaslConfig { mechanism, username: username.into(), password: password.to_owned().into() }),
            ..kafka_config(self.broker.address())
        }
    }
}

#[test]
fn both_logins_append_and_read_over_tls() {
    run_test(async {
        let Some(secure) = secure_broker() else { return };
        for (mechanism, username, password) in
            [(SaslMechanism::Plain, "alice", "alice-secret"), (SaslMechanism::ScramSha512, "bob", "bob-secret")]
        {
            let log = LogFixture::with_config(LogConfig::Kafka(secure.config(mechanism, username, password)));
            log.topic("events", 2).await;
            append_all(&*log.writer().await, numbered("events", 9, 0..100)).await;
            assert_eq!(log.read_all(&["events"]).await.values().map(Vec::len).sum::<usize>(), 100);
            let mut reader = log.reader(&["events"], member(0, 1)).await;
            crate::fixture::start_all(&mut *reader).await;
        }
    });
}

#[test]
fn a_wrong_password_is_refused_and_never_printed() {
    run_test(async {
        let Some(secure) = secure_broker() else { return };
        let config = secure.config(SaslMechanism::ScramSha512, "bob", "wrong-canary");
        assert!(!format!("{:?}", LogConfig::Kafka(config.clone())).contains("wrong-canary"));
        for error in open_errors(&LogConfig::Kafka(config)).await {
            assert!(matches!(error, LogError::Denied { .. }), "{error}");
            assert!(!format!("{error:?} {error}").contains("wrong-canary"));
        }
    });
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    run_test(async {
        let Some(secure) = secure_broker() else { return };
        let config = secure.config(SaslMechanism::ScramSha512, "bob", "bob-secret");
        let tls = TlsConfig { ca_file: Some(secure.folder.join("stranger.pem")), ..TlsConfig::default() };
        for error in open_errors(&LogConfig::Kafka(KafkaConfig { tls: Some(tls), ..config })).await {
            assert!(matches!(error, LogError::Denied { .. }), "{error}");
        }
    });
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    run_test(async {
        let Some(secure) = secure_broker() else { return };
        // The same broker under a host name that is not in its certificate.
        let port = secure.broker.address().rsplit(':').next().expect("port").to_owned();
        let config = secure.config(SaslMechanism::ScramSha512, "bob", "bob-secret");
        for error in open_errors(&LogConfig::Kafka(KafkaConfig { brokers: format!("localhost:{port}"), ..config })).await {
            assert!(matches!(error, LogError::Denied { .. }), "{error}");
        }
    });
}
