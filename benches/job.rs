//! A whole job on the server, 512x512 in colour, 3x3 mean, 3072 bits, on all cores: the request over HTTP, the same in
//! this process, and its arithmetic alone. The difference is what the server around it costs.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode};
use safelight::math::random;
use safelight::photo::Photo;
use safelight::schemes::paillier::stream::{self, Limits};
use safelight::schemes::paillier::wire::image::Frames;
use safelight::schemes::paillier::{Border, Circuit, EncryptOptions, EncryptionKey, Filter, SecretKey};
use safelight::watch::NoWatch;
use safelight::wire::MEDIA_TYPE;

const BITS: u16 = 3072;
const SIDE: u32 = 512;

fn main() {
    let filter = Filter::parse("mean", &[]).expect("a filter");
    let image = image(&filter);
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let mut group = criterion.benchmark_group("server job");
    group.sampling_mode(SamplingMode::Flat);

    let server = Server::start();
    group.bench_function(BenchmarkId::new("ours", BITS), |bencher| bencher.iter(|| server.post(&image)));
    drop(server);
    group.bench_function(BenchmarkId::new("in this process", BITS), |bencher| {
        bencher.iter(|| run_filter(&filter, &image));
    });
    group.bench_function(BenchmarkId::new("arithmetic alone", BITS), |bencher| {
        let job = Job::read(&filter, &image);
        bencher.iter(|| job.run());
    });
    group.finish();
    criterion.final_summary();
}

/// An encrypted photo.
fn image(filter: &Filter) -> Vec<u8> {
    let key = SecretKey::generate(BITS, &mut random::system()).expect("key");
    let samples = (0..SIDE * SIDE * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let photo = Photo::from_samples(SIDE, SIDE, 3, samples).expect("right size");
    let options = EncryptOptions::for_filter(filter, Border::default()).expect("wide enough");
    let mut file = Vec::new();
    stream::encrypt_image(EncryptionKey::Owner(std::sync::Arc::new(key)), &photo, &options, &mut file, &NoWatch)
        .expect("encrypted");
    file
}

fn run_filter(filter: &Filter, image: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    stream::run_filter(&mut &image[..], &mut output, filter, &Limits::default(), &NoWatch).expect("filtered");
    output
}

/// The same without bytes: rows in, rows out.
struct Job<'a> {
    filter: &'a Filter,
    frames: Frames,
    rows: Vec<[Vec<u64>; 1]>,
}

impl<'a> Job<'a> {
    fn read(filter: &'a Filter, image: &[u8]) -> Self {
        let header = safelight::wire::Prologue::parse(&image[..16]).expect("ours").total_bytes();
        let frames = Frames::read(&image[..header]).expect("ours");
        let body = image[header..].chunks_exact(frames.frame_bytes());
        let rows = (0..).zip(body).map(|(row, bytes)| [frames.read_frame(row, bytes).expect("ours")]).collect();
        Self { filter, frames, rows }
    }

    fn run(&self) {
        let mut circuit = Circuit::new(self.filter, std::slice::from_ref(&self.frames.head)).expect("possible");
        for row in &self.rows {
            std::hint::black_box(circuit.push(row).expect("fits"));
        }
        circuit.finish().expect("whole");
    }
}

/// A server as its users start it, and a client on one connection.
struct Server {
    child: Child,
    url: String,
    client: ureq::Agent,
}

impl Server {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_safelight"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the server starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let ready = |line: &String| line.contains("listening on");
        let line = output.lines().map_while(Result::ok).find(ready).expect("the server listens");
        let address = line.rsplit(' ').next().expect("it says where");
        let url = format!("{address}/v1/filters/mean?radius=1");
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_mins(5)));
        Self { child, url, client: config.build().into() }
    }

    fn post(&self, image: &[u8]) -> Vec<u8> {
        let answer = self.client.post(&self.url).header("Content-Type", MEDIA_TYPE).send(image);
        let mut body = answer.expect("an image").into_body();
        body.with_config().limit(1 << 30).read_to_vec().expect("a whole image")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
