//! CSV: one row per figure, `name,type,labels,statistic,value`.

use super::json::QUANTILES;
use super::{Figure, Writer, push_number};
use crate::engine::monitor::metrics::Definition;

#[derive(Default)]
pub struct Csv {
    labels: String,
}

impl Csv {
    fn row(&self, out: &mut Vec<u8>, definition: &Definition, statistic: &str, value: f64) {
        let mut number = Vec::new();
        push_number(&mut number, value);
        let mut writer = csv::WriterBuilder::new().from_writer(out);
        let kind = definition.kind.name().as_bytes();
        let fields = [
            definition.name.as_bytes(),
            kind,
            self.labels.as_bytes(),
            statistic.as_bytes(),
            number.as_slice(),
        ];
        // Writing to a vector cannot fail.
        let _ = writer.write_record(fields);
    }
}

impl Writer for Csv {
    fn begin(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"name,type,labels,statistic,value\n");
    }

    fn family(&mut self, _: &mut Vec<u8>, _: &Definition) {}

    fn series(
        &mut self,
        out: &mut Vec<u8>,
        definition: &Definition,
        values: &[Box<str>],
        figure: &Figure<'_>,
    ) {
        let pairs = definition.label_names.iter().zip(values);
        let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
        self.labels = pairs.join(";");
        match figure {
            Figure::Number(number) => self.row(out, definition, "value", *number),
            Figure::Histogram(histogram) => {
                self.row(out, definition, "count", histogram.count() as f64);
                self.row(out, definition, "sum", histogram.sum());
                if let Some((min, max)) = histogram.range() {
                    self.row(out, definition, "min", min);
                    self.row(out, definition, "max", max);
                }
                for (name, quantile) in QUANTILES {
                    if let Some(value) = histogram.quantile(quantile) {
                        self.row(out, definition, name, value);
                    }
                }
            }
        }
    }

    fn end_family(&mut self, _: &mut Vec<u8>) {}

    fn end(&mut self, _: &mut Vec<u8>) {}
}
