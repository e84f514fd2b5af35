//! Trains gradient-boosted trees on one NumPy file, judges them on another, and prints one JSON object.
//!
//! `cargo bench --bench boosting -- TRAIN.npy TEST.npy [trees=100] [leaves=31] [threads=2] …`; both files hold an f64
//! matrix whose last column is the label, 0 or 1. `benches/boosting` makes such files and runs LightGBM beside it.

use std::time::Instant;

use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use ndarray::{Array1, Array2, Axis, ShapeBuilder};
use smartpush::evaluation::classification::{auc, log_loss};
use smartpush::learners::boosting::{GradientBoosting, GradientBoostingParams};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    // cargo adds `--bench`, and runs every bench without arguments too.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [train, test, settings @ ..] = &arguments[..] else {
        println!("boosting: TRAIN.npy TEST.npy [trees=100] [leaves=31] [threads=2] …");
        return Ok(());
    };
    let params = settings.iter().try_fold(GradientBoosting::params(), |params, text| set(params, text))?;
    let (train, test) = (read(train)?, read(test)?);
    let start = Instant::now();
    let model = params.check()?.fit(&train)?;
    let fit_seconds = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let probabilities = model.predict_probabilities(&test.records)?.to_vec();
    let predict_seconds = start.elapsed().as_secs_f64();
    let labels = test.targets.to_vec();
    let report = serde_json::json!({
        "fit_seconds": fit_seconds,
        "predict_seconds": predict_seconds,
        "auc": auc(&probabilities, &labels),
        "log_loss": log_loss(&probabilities, &labels),
        "trees": model.trees(),
    });
    println!("{report}");
    Ok(())
}

/// One `name=value` of the command line.
fn set(params: GradientBoostingParams, text: &str) -> Result<GradientBoostingParams, Failure> {
    let (name, value) = text.split_once('=').ok_or("a setting is name=value")?;
    Ok(match name {
        "trees" => params.trees(value.parse()?),
        "leaves" => params.leaves(value.parse()?),
        "threads" => params.threads(Some(value.parse()?)),
        "learning_rate" => params.learning_rate(value.parse()?),
        "rows_per_leaf" => params.rows_per_leaf(value.parse()?),
        "l2" => params.l2(value.parse()?),
        _ => return Err(format!("there is no setting {name}").into()),
    })
}

/// The matrix of a NumPy file, without its last column, beside that column as labels.
fn read(path: &str) -> Result<DatasetBase<Array2<f64>, Array1<bool>>, Failure> {
    let bytes = std::fs::read(path)?;
    let length = bytes.get(8..10).ok_or("not a NumPy file")?;
    let data = 10 + usize::from(u16::from_le_bytes([length[0], length[1]]));
    let header = String::from_utf8_lossy(bytes.get(..data).ok_or("the header ends early")?).into_owned();
    if !header.contains("NUMPY\u{1}") || !header.contains("'<f8'") {
        return Err(format!("{path} is no f64 matrix of NumPy's format 1.0").into());
    }
    let shape =
        header.split_once("'shape': (").and_then(|(_, rest)| rest.split_once(')')).ok_or("no shape")?;
    let sizes: Vec<usize> = shape.0.split(',').map(|size| size.trim().parse()).collect::<Result<_, _>>()?;
    let [rows, columns] = sizes[..] else { return Err("not a matrix".into()) };
    let values = bytes[data..].chunks_exact(8).map(|bytes| bytes.try_into().map(f64::from_le_bytes));
    let values: Vec<f64> = values.collect::<Result<_, _>>()?;
    let is_by_column = header.contains("'fortran_order': True");
    let matrix = Array2::from_shape_vec((rows, columns).set_f(is_by_column), values)?;
    let labels = matrix.index_axis(Axis(1), columns - 1).mapv(|label| label == 1.0);
    let mut inputs = Array2::zeros((rows, columns - 1).f());
    inputs.assign(&matrix.slice_axis(Axis(1), (..columns - 1).into()));
    Ok(DatasetBase::new(inputs, labels))
}
