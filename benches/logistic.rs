//! Fits one logistic regression to rows in a file and tells seconds, log-loss and memory; driven by `benches/logistic`.

use std::fs::File;
use std::io::{BufReader, Read};
use std::time::Instant;

use linfa::ParamGuard;
use ndarray::{Array2, ShapeBuilder};
use smartpush::learners::logistic::{LogisticRegression, TOLERANCE};

/// Arguments: file (inputs column after column in f64, then a byte a label), rows, inputs, fits, threads (0: all).
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let numbers: Vec<usize> = arguments.iter().skip(1).filter_map(|number| number.parse().ok()).collect();
    let [rows, inputs, fits, threads] = numbers[..] else {
        println!("benches/logistic runs this; it needs FILE ROWS INPUTS FITS THREADS");
        return;
    };
    let (columns, labels) = read(&arguments[0], rows, inputs);
    let mut params = LogisticRegression::params().alpha(1.0).tolerance(TOLERANCE);
    if threads > 0 {
        params = params.threads(threads);
    }
    let params = params.check().unwrap_or_else(|error| panic!("{error}"));
    let before = memory("VmRSS:");
    let (mut seconds, mut fitted) = (Vec::new(), None);
    for _ in 0..fits {
        let start = Instant::now();
        fitted = Some(params.fit_weighted(columns.view(), &labels, None).unwrap_or_else(|e| panic!("{e}")));
        seconds.push(start.elapsed().as_secs_f64());
    }
    let extra = memory("VmHWM:") - before;
    let loss = fitted.map_or(f64::NAN, |model| loss(&model, &columns, &labels));
    println!("{}", serde_json::json!({ "seconds": seconds, "log_loss": loss, "extra_mib": extra }));
}

fn read(path: &str, rows: usize, inputs: usize) -> (Array2<f64>, Vec<bool>) {
    let mut file = BufReader::new(File::open(path).unwrap_or_else(|error| panic!("{path}: {error}")));
    let mut next =
        |bytes: &mut [u8]| file.read_exact(bytes).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut columns = Array2::zeros((rows, inputs).f());
    let mut number = [0; 8];
    for mut column in columns.columns_mut() {
        column.iter_mut().for_each(|input| {
            next(&mut number);
            *input = f64::from_le_bytes(number);
        });
    }
    let mut labels = vec![0; rows];
    next(&mut labels);
    (columns, labels.iter().map(|label| *label == 1).collect())
}

/// Mean −ln P(label).
fn loss(model: &LogisticRegression, columns: &Array2<f64>, labels: &[bool]) -> f64 {
    let logits = columns.dot(&model.weights) + model.intercept;
    let one = |(logit, label): (&f64, &bool)| libm::log1p(libm::exp(if *label { -logit } else { *logit }));
    logits.iter().zip(labels).map(one).sum::<f64>() / labels.len() as f64
}

/// MiB of this process: what it holds (`VmRSS:`) or held at most (`VmHWM:`); NaN where there is no /proc.
fn memory(name: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}
