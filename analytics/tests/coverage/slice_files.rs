//! Slices as workbooks and Parquet files, read back by other means than those that wrote them.

use std::collections::BTreeMap;

use calamine::{Data, DataType, Reader, Xlsx, open_workbook_from_rs};
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field as ParquetField,
};
use qamtu_analytics::{
    slice::{Measure, SliceTable, slice},
    slice_output::{SliceFormat, SliceLine, SliceOutput, SliceSource},
    slice_query::SliceQuery,
};

use crate::{
    warehouse::world,
    world::{World, after},
};

const MEASURES: &str = "held,gross,reached,coverage_percent";

fn written(world: &World, by: &str, format: SliceFormat) -> Vec<u8> {
    written_where(world, by, "day>=2026-02-20", format)
}

fn written_where(world: &World, by: &str, filter: &str, format: SliceFormat) -> Vec<u8> {
    let query = SliceQuery::parse(by, &[filter.to_owned()]).expect("a query");
    let table: SliceTable = slice(&world.store(after(), usize::MAX), &query).expect("a slice");
    let measures = Measure::parse(MEASURES).expect("measures");
    let lines = SliceLine::exact(&table, &measures);
    let source =
        SliceSource { campaign: "test".parse().expect("an id"), synthetic: true, as_of: after(), filters: query.filters, rounded_to: None };
    let mut bytes = Vec::new();
    SliceOutput { by: &table.by, lines: &lines, measures: &measures, source: &source }.write(format, &mut bytes).expect("a file");
    bytes
}

/// The rows of the CSV file without the columns that only it has: what the other files must contain.
fn csv_rows(world: &World, by: &str) -> Vec<Vec<String>> {
    let text = written(world, by, SliceFormat::Csv);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_slice());
    let columns = by.split(',').count() + MEASURES.split(',').count() + 2;
    let cut = |record: csv::StringRecord| record.iter().take(columns).map(str::to_owned).collect();
    reader.records().map(|record| cut(record.expect("a row"))).collect()
}

#[test]
fn a_workbook_has_the_numbers_of_the_csv_file_and_says_what_it_is() {
    let world = world();
    for by in ["unit,coalition", "precinct"] {
        let bytes = written(&world, by, SliceFormat::Xlsx);
        assert_eq!(bytes, written(&world, by, SliceFormat::Xlsx), "the same slice gives the same bytes");
        let mut book: Xlsx<_> = open_workbook_from_rs(std::io::Cursor::new(bytes)).expect("a workbook");
        assert_eq!(book.sheet_names(), ["Slice", "About"]);
        let sheet = book.worksheet_range("Slice").expect("a sheet");
        let percent = by.split(',').count() + 3;
        let text = |(column, cell): (usize, &Data)| match cell {
            Data::Float(number) if column == percent => format!("{:.2}", number * 100.0),
            Data::Float(number) => format!("{number}"),
            other => other.to_string(),
        };
        let rows: Vec<Vec<String>> = sheet.rows().map(|row| row.iter().enumerate().map(text).collect()).collect();
        assert_eq!(rows, csv_rows(&world, by));
        assert!(sheet.rows().skip(1).flatten().any(|cell| cell.is_float()), "numbers are numbers");
        let about = book.worksheet_range("About").expect("a sheet");
        let about: BTreeMap<String, String> = about.rows().map(|row| (row[0].to_string(), row[1].to_string())).collect();
        assert_eq!(about["campaign"], "test");
        assert_eq!(about["where"], "day>=2026-02-20");
        assert_eq!(about["as_of"], after().to_string());
        assert!(about["synthetic"].starts_with("yes"));
        assert_eq!(about["reached"], Measure::parse("reached").expect("a measure")[0].meaning());
    }
}

#[test]
fn a_long_list_of_filters_is_cut_where_a_cell_ends() {
    let filter = format!("unit=A{}", ",A".repeat(20_000));
    let bytes = written_where(&world(), "coalition", &filter, SliceFormat::Xlsx);
    let mut book: Xlsx<_> = open_workbook_from_rs(std::io::Cursor::new(bytes)).expect("a workbook");
    let about = book.worksheet_range("About").expect("a sheet");
    let shown = about.rows().find(|row| row[0] == "where").map(|row| row[1].to_string()).expect("the filters");
    assert!(shown.chars().count() <= 32_767 && shown.ends_with('…'), "{}", shown.chars().count());
    assert!(filter.starts_with(shown.trim_end_matches('…')));
}

#[test]
fn a_parquet_file_has_the_numbers_of_the_csv_file_and_says_what_it_is() {
    for by in ["unit,coalition", "precinct"] {
        let file = SerializedFileReader::new(bytes::Bytes::from(written(&world(), by, SliceFormat::Parquet))).expect("a Parquet file");
        let metadata = file.metadata().file_metadata().key_value_metadata().expect("metadata").clone();
        let value = |name: &str| metadata.iter().find(|pair| pair.key == name).and_then(|pair| pair.value.clone());
        assert_eq!((value("campaign").as_deref(), value("where").as_deref()), (Some("test"), Some("day>=2026-02-20")));
        let mut rows =
            vec![file.metadata().file_metadata().schema().get_fields().iter().map(|field| field.name().to_owned()).collect::<Vec<_>>()];
        for row in file.get_row_iter(None).expect("rows") {
            let text = |field: &ParquetField| match field {
                ParquetField::Null => String::new(),
                ParquetField::Str(text) => text.clone(),
                ParquetField::Long(count) => count.to_string(),
                ParquetField::Double(percent) => format!("{percent:.2}"),
                other => panic!("{other:?}"),
            };
            rows.push(row.expect("a row").get_column_iter().map(|(_, field)| text(field)).collect());
        }
        assert_eq!(rows, csv_rows(&world(), by));
    }
}
