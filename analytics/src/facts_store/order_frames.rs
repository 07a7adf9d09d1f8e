//! The order by person as data frames: one row per person, in ascending order, with the numbers of the lists that the person is on.

use polars::{
    frame::DataFrame,
    prelude::{Column, DataType, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, PolarsError, PolarsResult, UInt32Type},
};
use polars_arrow::array::PrimitiveArray;

use super::{attendance_frames::FRAME_ROWS, attendance_lists::AttendanceLists, person_meetings::PersonMeetings, saved_order::SavedOrder};

/// Frames with the columns `person` and `lists`, at least one. Numbers of lists are those of all lists in the order of their meetings' ids.
pub(super) fn frames<'a>(order: &'a PersonMeetings, lists: &'a AttendanceLists) -> impl Iterator<Item = PolarsResult<DataFrame>> {
    let mut everybody = order.people(0..order.len());
    let mut is_first = true;
    std::iter::from_fn(move || {
        let mut people = Vec::new();
        let mut numbers = ListPrimitiveChunkedBuilder::<UInt32Type>::new("lists".into(), 0, FRAME_ROWS, DataType::UInt32);
        let (mut attendances, mut own) = (0, Vec::new());
        while attendances < FRAME_ROWS
            && let Some((person, meetings)) = everybody.next()
        {
            own.clear();
            // Only meetings that have a list are counted, so none is left out.
            own.extend(meetings.iter().filter_map(|meeting| lists.list_number(*meeting)));
            people.push(person);
            numbers.append_slice(&own);
            attendances += own.len();
        }
        let is_next = std::mem::take(&mut is_first) || !people.is_empty();
        is_next.then(|| DataFrame::new_infer_height(vec![Column::new("person".into(), people), numbers.finish().into_column()]))
    })
}

/// Adds the people of a frame, whose numbers must ascend and be below `people`; those of lists must be below `lists`.
pub(super) fn read(frame: &DataFrame, order: &mut SavedOrder, people: usize, lists: usize) -> PolarsResult<()> {
    let invalid = || PolarsError::ComputeError("the order by person is not valid".into());
    let own = frame.column("person")?.u32()?.cont_slice()?;
    let is_ascending = order.people.last().into_iter().chain(own).is_sorted_by(|one, other| one < other);
    if !is_ascending || own.last().is_some_and(|last| *last as usize >= people) {
        return Err(invalid());
    }
    order.people.extend(own);
    for array in frame.column("lists")?.list()?.downcast_iter() {
        let offsets = array.offsets().as_slice();
        let numbers: &PrimitiveArray<u32> = array.values().as_any().downcast_ref().ok_or_else(invalid)?;
        let (first, last) = (array.offsets().first().to_owned(), array.offsets().last().to_owned());
        let numbers = &numbers.values().as_slice()[first as usize..last as usize];
        let end = u32::try_from(order.lists.len() + numbers.len()).map_err(|_| invalid())?;
        if numbers.iter().any(|number| *number as usize >= lists) {
            return Err(invalid());
        }
        let before = end - numbers.len() as u32;
        order.ends.extend(offsets[1..].iter().map(|end| before + (end - first) as u32));
        order.lists.extend(numbers);
    }
    if order.ends.len() == order.people.len() { Ok(()) } else { Err(invalid()) }
}
