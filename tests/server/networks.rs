//! Networks over HTTP: their descriptions, and the classification of encrypted pictures.

use safelight::network::{Layer, Network, NetworkSpec, Patches, Weights, rounded};
use safelight::photo::Shape;
use safelight::schemes::ckks::parameters::{Parameters, SMALL};
use serde_json::json;

use crate::client::{get, post};
use crate::house::Server;

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn noise(count: usize, seed: f32) -> Vec<f32> {
    (0..count).map(|i| rounded((i as f32 * 12.9 + seed).sin() / 4.0)).collect()
}

fn network(parameters: &'static Parameters) -> Network {
    let patches = Patches {
        shape: Shape { width: 8, height: 8, channels: 1 },
        side: 3,
        stride: 1,
        grid: 2,
        threshold: 0.25,
        filters: noise(2 * 9, 1.0),
        offsets: noise(2, 2.0),
        means: vec![1.0; 16],
        scales: vec![0.5; 16],
    };
    let labels = ["one", "two", "three"].map(str::to_owned).to_vec();
    let spec = NetworkSpec::new(parameters, patches, labels, Layer::perceptron(8, 3)).expect("a front");
    let weights = |(weights, biases)| Weights { weights: noise(weights, 3.0), bias: noise(biases, 4.0) };
    let weights = spec.numbers().into_iter().map(weights).collect();
    Network::new(spec, weights).expect("a network")
}

#[test]
fn a_network_is_described_and_its_weights_stay() {
    let server = Server::start(|_| ());
    let network = network(&SMALL);
    let file = safelight::network::wire::write(&network).expect("a file");
    let created = post(server.at, "/v1/models", &file);
    assert_eq!(created.status, 201, "{created:?}");
    let json = created.json();
    assert_eq!(json["learner"], "network");
    assert_eq!((&json["width"], &json["samples_used"]), (&8.into(), &16.into()));
    assert_eq!(json["classes"], json!([{ "label": "one" }, { "label": "two" }, { "label": "three" }]));
    let told = &json["network"];
    assert_eq!((&told["parameters"], &told["level"], &told["hidden"]), (&"small".into(), &3.into(), &8.into()));
    assert_eq!(told["keys"][0], json!({ "purpose": "products", "level": 2 }));
    assert_eq!(told["keys"].as_array().expect("a list").len(), network.spec().needs().len());

    let location = created.header("location").to_owned();
    assert_eq!(get(server.at, &location).json(), json);
    let public = get(server.at, &format!("{location}/file"));
    assert_eq!(public.body, safelight::network::wire::write_spec(network.spec()).expect("a file"));
    assert!(safelight::network::wire::read(&public.body).is_err());

    let mut bad = file.clone();
    let last = bad.len() - 9;
    bad[last] ^= 1;
    assert_eq!(post(server.at, "/v1/models", &bad).problem(), "damaged");
}

#[test]
fn what_is_missing_is_named() {
    let server = Server::start(|_| ());
    let file = safelight::network::wire::write(&network(&SMALL)).expect("a file");
    let id = post(server.at, "/v1/models", &file).json()["id"].as_str().expect("an id").to_owned();
    let ask = |query: &str| post(server.at, &format!("/v1/classifiers/{id}{query}"), b"?");
    assert_eq!(ask("").problem(), "bad_argument");
    assert_eq!(ask("?key=1").problem(), "bad_argument");
    assert_eq!(ask("?keys=never-were").problem(), "keys_not_found");
}

#[cfg(feature = "client")]
pub(crate) use whole::Asked;

#[cfg(feature = "client")]
mod whole {
    use std::sync::Arc;

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;
    use safelight::network::PRECISION;
    use safelight::photo::Photo;
    use safelight::schemes::ckks::encode::Encoder;
    use safelight::schemes::ckks::keys::EvaluationKeys;
    use safelight::schemes::ckks::parameters::LEVELED_14;
    use safelight::schemes::ckks::ring::Ring;
    use safelight::schemes::ckks::secret::SecretKey;
    use safelight::schemes::ckks::wire::{read_ciphertext, write_ciphertext, write_seeded, write_set};

    use super::*;
    use crate::client::call;

    fn upload(server: &Server, set: &[u8]) -> String {
        let length = set.len().to_string();
        let begun = call(server.at, "POST", "/v1/keys", &[("Upload-Length", &length)], b"");
        let location = begun.header("location").to_owned();
        assert_eq!(call(server.at, "PATCH", &location, &[("Upload-Offset", "0")], set).status, 200);
        location.rsplit('/').next().expect("an id").to_owned()
    }

    /// A network on a server, keys for it, and a picture.
    pub(crate) struct Asked {
        pub(crate) target: String,
        pub(crate) picture: Vec<u8>,
    }

    impl Asked {
        pub(crate) fn new(server: &Server) -> Self {
            let network = network(&SMALL);
            let created = post(server.at, "/v1/models", &safelight::network::wire::write(&network).expect("a file"));
            let id = created.json()["id"].as_str().expect("an id").to_owned();
            let (spec, ring) = (network.spec(), Ring::new(&SMALL).expect("a ring"));
            let encoder = Arc::new(Encoder::new(&ring));
            let mut rng = ChaCha20Rng::from_seed([2; 32]);
            let (secret, _) = SecretKey::generate(&ring, &mut rng).expect("a key");
            let keys = spec.evaluation_keys(&ring, &secret, &mut rng).expect("keys");
            let keys = upload(server, &write_set(&ring, &keys).expect("a set"));
            let photo = Photo::from_samples(8, 8, 1, (0..64).collect()).expect("a photo");
            let features = spec.input().of(&photo).expect("numbers");
            let picture = spec.encrypt(&ring, &encoder, &secret, &features, &mut rng).expect("encrypted");
            let picture = write_seeded(&ring, &picture).expect("a file");
            Self { target: format!("/v1/classifiers/{id}?keys={keys}"), picture }
        }
    }

    #[test]
    fn encrypted_pictures_are_classified() {
        let folder = tempfile::tempdir().expect("a folder");
        let network = network(&SMALL);
        std::fs::write(folder.path().join("three.model"), safelight::network::wire::write(&network).expect("a file"))
            .expect("written");
        let models = folder.path().to_owned();
        let server = Server::start(|config| config.models = Some(models));
        assert_eq!(get(server.at, "/v1").json()["models"][0]["id"], "three");
        let spec = safelight::network::wire::read_spec(&get(server.at, "/v1/models/three/file").body).expect("a front");
        let ring = Ring::new(spec.parameters()).expect("a ring");
        let encoder = Arc::new(Encoder::new(&ring));
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let (secret, _) = SecretKey::generate(&ring, &mut rng).expect("a key");
        let keys = spec.evaluation_keys(&ring, &secret, &mut rng).expect("keys");
        let id = upload(&server, &write_set(&ring, &keys).expect("a set"));
        let ask = |keys: &str, body: &[u8]| post(server.at, &format!("/v1/classifiers/three?keys={keys}"), body);

        let encrypt = |secret: &SecretKey, number: u8, rng: &mut ChaCha20Rng| {
            let samples = (0..64).map(|i: u8| i.wrapping_mul(number).wrapping_add(i.wrapping_mul(i) / 7)).collect();
            let photo = Photo::from_samples(8, 8, 1, samples).expect("a photo");
            let features = spec.input().of(&photo).expect("numbers");
            let picture = spec.encrypt(&ring, &encoder, secret, &features, rng).expect("encrypted");
            (features, picture)
        };
        for number in 3..6 {
            let (features, picture) = encrypt(&secret, number, &mut rng);
            let answer = ask(&id, &write_seeded(&ring, &picture).expect("a file"));
            assert_eq!(
                (answer.status, answer.header("content-type")),
                (200, safelight::wire::MEDIA_TYPE),
                "{answer:?}"
            );
            let scores = read_ciphertext(&ring, &answer.body).expect("a ciphertext");
            let opened = spec.open(&ring, &encoder, &secret, &scores).expect("an answer");
            let clear = network.decide(&features);
            assert_eq!(opened.class, clear.class);
            assert!(opened.scores.iter().zip(&clear.scores).all(|(a, b)| (a - b).abs() < PRECISION));
        }

        // A picture of another owner, of another set or level, and no picture.
        let (other, _) = SecretKey::generate(&ring, &mut rng).expect("a key");
        let foreign = encrypt(&other, 3, &mut rng).1;
        assert_eq!(ask(&id, &write_seeded(&ring, &foreign).expect("a file")).problem(), "foreign_key");
        let low = encoder.encode_real(&ring, &[1.0], 128, 2, ring.scale(2)).expect("encoded");
        let low = write_ciphertext(&ring, &secret.encrypt(&ring, &low, &mut rng).expect("encrypted")).expect("a file");
        assert_eq!(ask(&id, &low).problem(), "level_exhausted");
        assert_eq!(ask(&id, b"no ciphertext at all").problem(), "not_safelight");
        let larger = Ring::new(&LEVELED_14).expect("a ring");
        let wide = Encoder::new(&larger).encode_real(&larger, &[1.0], 128, 3, larger.scale(3)).expect("encoded");
        let (key, _) = SecretKey::generate(&larger, &mut rng).expect("a key");
        let wide =
            write_ciphertext(&larger, &key.encrypt(&larger, &wide, &mut rng).expect("encrypted")).expect("a file");
        assert_eq!(ask(&id, &wide).problem(), "wrong_parameters");

        // Missing keys, keys of another set, and deleted keys.
        let mut few = EvaluationKeys::new(secret.id());
        few.insert_relinearise(Arc::clone(&keys.relinearise()[0]));
        let few = ask(&upload(&server, &write_set(&ring, &few).expect("a set")), &low);
        assert_eq!(few.problem(), "missing_key");
        assert!(few.json()["detail"].as_str().expect("text").contains("rotations by 1 steps at level 1"), "{few:?}");
        let mut wide = EvaluationKeys::new(key.id());
        wide.insert_relinearise(key.relinearisation_key(&larger, 2, &mut rng).expect("a key"));
        let wide = ask(&upload(&server, &write_set(&larger, &wide).expect("a set")), &low);
        assert_eq!(wide.problem(), "wrong_parameters");
        assert_eq!(call(server.at, "DELETE", &format!("/v1/keys/{id}"), &[], b"").status, 204);
        assert_eq!(ask(&id, &low).problem(), "keys_not_found");
    }
}
