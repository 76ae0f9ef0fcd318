//! Learning and classifying over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use safelight::learn::{Model, Shape};
use safelight::photo::encode_png;
use safelight::watch::NoWatch;
use safelight::wire;

use crate::client::{Answer, Request, call, call_from, get, post};
use crate::house::{Server, until};

const SHAPE: Shape = Shape { width: 24, height: 16, channels: 1 };
const BOUNDARY: &str = "----a boundary";
pub(crate) const FORM: (&str, &str) = ("Content-Type", "multipart/form-data; boundary=\"----a boundary\"");

/// A picture of one of two classes: stripes down or across, with noise.
pub(crate) fn picture(class: u32, number: u32) -> Vec<u8> {
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(class);
    let samples: Vec<u8> = (0..SHAPE.width * SHAPE.height)
        .map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let stripes = if class == 0 { i % 24 / 4 % 2 } else { i / 24 / 4 % 2 };
            u8::try_from(stripes * 120 + 40 + (state >> 26)).unwrap_or(255)
        })
        .collect();
    png(SHAPE.width, SHAPE.height, &samples)
}

fn png(width: u32, height: u32, samples: &[u8]) -> Vec<u8> {
    encode_png(width, height, 1, samples, None).expect("PNG")
}

/// A form body as browsers send it.
pub(crate) fn form(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (label, bytes) in parts {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{label}\"; filename=\"x.png\"\r\n\
             Content-Type: image/png\r\n\r\n"
        );
        body.extend(head.as_bytes());
        body.extend(bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

pub(crate) fn album() -> Vec<(&'static str, Vec<u8>)> {
    (0..12).map(|n| (["down", "Grüße an %22alle%22"][n as usize % 2], picture(n % 2, n))).collect()
}

/// A model file.
pub(crate) fn file() -> Vec<u8> {
    let maker = Server::start(|_| ());
    get(maker.at, &format!("{}/file", create(maker.at, "", &album()).header("location"))).body
}

fn create(to: SocketAddr, query: &str, parts: &[(&str, Vec<u8>)]) -> Answer {
    call(to, "POST", &format!("/v1/models{query}"), &[FORM], &form(parts))
}

#[test]
fn pictures_are_learned_from_and_others_recognised() {
    let server = Server::start(|_| ());
    for query in ["", "?learner=svm-rbf&strategy=pairs&cost=2", "?learner=knn&neighbours=3", "?learner=forest&trees=7"]
    {
        let answer = create(server.at, query, &album());
        assert_eq!(answer.status, 201, "{answer:?}");
        let (json, location) = (answer.json(), answer.header("location").to_owned());
        let id = json["id"].as_str().expect("an id").to_owned();
        assert_eq!(location, format!("/v1/models/{id}"));
        assert_eq!(json["classes"][0]["label"], "down");
        assert_eq!(json["classes"][1]["label"], "Grüße an \"alle\"");
        assert_eq!((&json["classes"][1]["pictures"], &json["width"]), (&6.into(), &24.into()));
        assert_eq!(get(server.at, &location).json(), json);
        for class in 0..2 {
            let said = post(server.at, &format!("/v1/classifiers/{id}"), &picture(class, 77));
            assert_eq!(said.status, 200, "{said:?}");
            assert_eq!(said.json()["class"], class);
            assert_eq!(said.json()["label"], json["classes"][class as usize]["label"]);
            assert!(said.json()["probabilities"][class as usize].as_f64().expect("a number") > 0.5);
        }
    }
    let about = get(server.at, "/v1").json();
    assert_eq!(about["learners"][0], "svm-linear");
    assert_eq!(about["models"], serde_json::json!([]), "models of clients are nobody else's business");
}

#[test]
fn a_model_goes_out_as_a_file_and_comes_back_and_is_forgotten() {
    let server = Server::start(|_| ());
    let first = create(server.at, "?sample=2&seed=5", &album()).header("location").to_owned();
    let file = get(server.at, &format!("{first}/file"));
    assert_eq!(file.header("content-type"), wire::MEDIA_TYPE);
    let model: Model = safelight::learn::wire::read(&file.body, &NoWatch).expect("a model");
    assert_eq!(model.parts().places.len(), 192);

    let second = post(server.at, "/v1/models", &file.body).header("location").to_owned();
    assert_ne!(first, second);
    assert_eq!(get(server.at, &format!("{second}/file")).body, file.body);

    assert_eq!(call(server.at, "DELETE", &first, &[], b"").status, 204);
    for gone in [first.as_str(), "/v1/models/never-was", "/v1/models/%ff"] {
        assert_eq!(get(server.at, gone).problem(), "model_not_found");
        assert_eq!(call(server.at, "DELETE", gone, &[], b"").problem(), "model_not_found");
        assert_eq!(get(server.at, &format!("{gone}/file")).problem(), "model_not_found");
        let classifier = gone.replace("models", "classifiers");
        assert_eq!(post(server.at, &classifier, &picture(0, 1)).problem(), "model_not_found");
    }
    assert_eq!(get(server.at, &second).status, 200);
}

#[test]
fn what_cannot_be_learned_from_says_why() {
    let server = Server::start(|config| config.limits.image.max_pixels = 10_000);
    let refused = |query: &str, parts: &[(&str, Vec<u8>)], code: &str, says: &str| {
        let answer = create(server.at, query, parts);
        assert_eq!(answer.problem(), code, "{query}");
        let detail = answer.json()["detail"].as_str().expect("text").to_owned();
        assert!(detail.contains(says), "{detail}");
    };
    refused("", &[], "bad_argument", "two labels");
    refused("", &album()[..1], "bad_argument", "two labels");
    refused("", &[("a", b"no picture".to_vec())], "unsupported_image", "picture 1");
    refused("", &[("a", picture(0, 1)), ("b", png(8, 8, &[0; 64]))], "images_differ", "picture 2");
    refused("", &[("", picture(0, 1))], "bad_argument", "picture 1");
    let half = picture(0, 1);
    refused("", &[("a", half[..half.len() / 2].to_vec())], "damaged_image", "picture 1");
    // A picture that is small as a file and large in memory.
    refused("", &[("a", png(300, 200, &vec![7; 60_000]))], "image_too_large", "picture 1");
    refused("?learner=oracle", &album(), "bad_argument", "oracle");
    refused("?learner=knn&cost=2", &album(), "bad_argument", "cost");
    refused("?cost=NaN", &album(), "bad_argument", "cost");
    refused("?colour=red", &album(), "bad_argument", "colour");
    refused("?sample=1000", &album(), "bad_argument", "use more");

    let body = form(&album());
    let without = call(server.at, "POST", "/v1/models", &[], &body);
    assert_eq!(without.problem(), "bad_argument");
    let without = call(server.at, "POST", "/v1/models", &[("Content-Type", "multipart/form-data")], &body);
    assert_eq!(without.problem(), "bad_argument");
    let cut = call(server.at, "POST", "/v1/models", &[FORM], &body[..body.len() / 2]);
    assert_eq!(cut.problem(), "truncated");
    let nameless = format!("--{BOUNDARY}\r\nContent-Type: image/png\r\n\r\nx\r\n--{BOUNDARY}--\r\n");
    let nameless = call(server.at, "POST", "/v1/models", &[FORM], nameless.as_bytes());
    assert_eq!(nameless.problem(), "bad_argument");

    let file = get(server.at, &format!("{}/file", create(server.at, "", &album()).header("location"))).body;
    let mut damaged = file.clone();
    damaged[200] ^= 1;
    assert_eq!(post(server.at, "/v1/models", &damaged).problem(), "damaged");
    assert_eq!(post(server.at, "/v1/models", &file[..200]).problem(), "truncated");
    assert_eq!(post(server.at, "/v1/models?cost=2", &file).problem(), "bad_argument");
    assert_eq!(post(server.at, "/v1/models", &picture(0, 1)).problem(), "not_safelight");
}

#[test]
fn a_picture_that_does_not_fit_the_model_says_why() {
    let server = Server::start(|config| config.limits.image.max_pixels = 10_000);
    let location = create(server.at, "", &album()).header("location").to_owned();
    let classifier = location.replace("models", "classifiers");
    assert_eq!(post(server.at, &classifier, &png(16, 24, &[0; 384])).problem(), "images_differ");
    assert_eq!(post(server.at, &classifier, b"").problem(), "truncated");
    assert_eq!(post(server.at, &classifier, &png(300, 200, &vec![7; 60_000])).problem(), "image_too_large");
    assert_eq!(get(server.at, &classifier).problem(), "method_not_allowed");
    let mut request = Request::open(server.at, "POST", &classifier, &[("Content-Length", "99999999999")]);
    let _ = request.try_send(b"x");
    assert_eq!(request.answer().problem(), "too_large");
}

#[test]
fn there_is_an_end_to_the_room_and_to_time() {
    let server = Server::start(|config| {
        config.limits.models = 1;
        config.limits.keep_models = Duration::from_secs(2);
    });
    let first = create(server.at, "", &album()).header("location").to_owned();
    let full = create(server.at, "", &album());
    assert_eq!((full.status, full.problem()), (503, "too_busy".into()));
    assert!(["1", "2"].contains(&full.header("retry-after")), "when the first one expires: {full:?}");
    until("the model expires", || get(server.at, &first).status == 404);
    assert_eq!(create(server.at, "", &album()).status, 201);

    let small = Server::start(|config| config.limits.model_bytes = 1000);
    assert_eq!(create(small.at, "", &album()).problem(), "too_busy");
    let hasty = Server::start(|config| config.limits.time = Duration::from_millis(1));
    assert_eq!(create(hasty.at, "?learner=forest&trees=900", &album()).problem(), "time_limit");
}

#[test]
fn the_operators_models_are_for_everybody() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("stripes.model"), file()).expect("written");
    std::fs::write(folder.path().join("notes.txt"), b"not a model").expect("written");
    let at = folder.path().to_owned();
    let server = Server::start(|config| config.models = Some(at));
    let about = get(server.at, "/v1").json();
    assert_eq!(about["models"][0]["id"], "stripes");
    assert_eq!(about["models"][0]["classes"][0]["label"], "down");
    let said = post(server.at, "/v1/classifiers/stripes", &picture(1, 50));
    assert_eq!(said.json()["class"], 1);
    assert_eq!(call(server.at, "DELETE", "/v1/models/stripes", &[], b"").problem(), "model_not_found");
    assert_eq!(get(server.at, "/v1/models/stripes").status, 200);
}

/// Sends the start of an upload that is announced as long, and returns the answer that comes before the rest is sent.
fn begin(to: SocketAddr, target: &str, content: &str, start: &[u8]) -> Answer {
    let headers = [("Content-Type", content), ("Content-Length", "600000000")];
    let mut request = Request::open(to, "POST", target, &headers);
    request.send(start);
    request.answer()
}

#[test]
fn what_is_no_model_ends_with_its_first_bytes() {
    let server = Server::start(|config| config.limits.stall = Duration::from_mins(10));
    let at = server.at;
    let model = |start: &[u8]| begin(at, "/v1/models", wire::MEDIA_TYPE, start);
    assert_eq!(model(&[0; 1000]).problem(), "not_safelight");
    let file = file();
    // Kind, version, length of the header, checksum, length of the whole.
    let with = |place: usize, value: u8| {
        let mut start = file[..200].to_vec();
        start[place] = value;
        model(&start).problem()
    };
    assert_eq!(with(8, 9), "unsupported_version");
    assert_eq!(with(10, 77), "bad_header");
    assert_eq!(with(15, 9), "bad_header");
    assert_eq!(with(20, 99), "damaged");
    assert_eq!(model(&file[..200]).problem(), "trailing_data");
    let public_key = [&wire::MAGIC[..], &[1, 0, 1, 1, 0, 1, 0, 0]].concat();
    assert_eq!(model(&public_key).problem(), "wrong_kind");
    let half = file.len().to_string();
    let mut request =
        Request::open(at, "POST", "/v1/models", &[("Content-Type", wire::MEDIA_TYPE), ("Content-Length", &half[1..])]);
    request.send(&file[..200]);
    assert_eq!(request.answer().problem(), "truncated");

    let form = |start: &[u8]| begin(at, "/v1/models", FORM.1, start);
    assert_eq!(form(&[b'x'; 1000]).problem(), "bad_argument");
    let endless = [format!("--{BOUNDARY}\r\nX-Long: ").as_bytes(), &vec![b'x'; 20_000]].concat();
    assert_eq!(form(&endless).problem(), "too_large");

    let id = create(at, "", &album()).json()["id"].as_str().expect("an id").to_owned();
    let mut request = Request::open(at, "POST", &format!("/v1/classifiers/{id}"), &[("Content-Length", "60000000")]);
    request.send(&[7; 1000]);
    assert_eq!(request.answer().problem(), "unsupported_image");
}

#[test]
fn the_header_of_every_part_has_a_limit() {
    let server = Server::start(|_| ());
    let mut body = form(&album());
    body.truncate(body.len() - format!("--{BOUNDARY}--\r\n").len());
    body.extend(format!("--{BOUNDARY}\r\nX-Long: {}\r\n\r\nx", "x".repeat(3_000_000)).as_bytes());
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let answer = call(server.at, "POST", "/v1/models", &[FORM], &body);
    assert_eq!(answer.problem(), "too_large", "{answer:?}");
    assert!(answer.json()["detail"].as_str().expect("text").contains("header"), "{answer:?}");
}

#[test]
fn memory_is_counted_before_it_is_taken() {
    // A short file of a model that needs much memory: many labels, each with a machine that gives every picture a weight.
    let file = file();
    let needed = safelight::learn::wire::size(&file).expect("a header").expect("all of it").memory;
    let server = Server::start(|config| config.limits.model_bytes = needed + file.len() as u64 - 1);
    assert_eq!(post(server.at, "/v1/models", &file).problem(), "too_busy");
    let server = Server::start(|config| config.limits.client.model_bytes = needed + file.len() as u64 - 1);
    let answer = post(server.at, "/v1/models", &file);
    assert_eq!((answer.status, answer.problem().as_str()), (429, "quota_exceeded"));
    let server = Server::start(|config| config.limits.model_bytes = needed + file.len() as u64);
    assert_eq!(post(server.at, "/v1/models", &file).status, 201);
    // The memory reserved while the file was read is released.
    assert_eq!(post(server.at, "/v1/models", &file).problem(), "too_busy");
}

#[test]
fn one_client_has_a_share_of_the_models() {
    let server = Server::start(|config| config.limits.client.models = 1);
    let (mine, other) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
    let create = |from| call_from(from, server.at, "POST", "/v1/models", &[FORM], &form(&album()));
    assert_eq!(create(mine).status, 201);
    let refused = create(mine);
    assert_eq!((refused.status, refused.problem().as_str()), (429, "quota_exceeded"));
    assert_eq!(create(other).status, 201);
}
