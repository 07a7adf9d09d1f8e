//! Ids of topics: a topic that was deleted and made anew keeps its name and gets another id.
//!
//! rdkafka does not offer them, so librdkafka is called directly. A broker older than
//! Kafka 2.8 has no ids; then nothing is compared, and the owner's proof by records is all there is.

#![allow(unsafe_code, reason = "the ids of topics are in the C interface only")]

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as c;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};

/// What a broker says of one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TopicId {
    /// Its id.
    Known(i64, i64),
    /// The broker has no ids.
    None,
    /// There is no such topic.
    Missing,
}

/// Asks a broker for the ids of these topics, by their names on the broker; blocks for at most about `wait`.
pub(super) fn topic_ids<C: ClientContext>(client: &Client<C>, names: &[String], wait: Duration) -> KafkaResult<HashMap<String, TopicId>> {
    let names = names.iter().map(|name| CString::new(name.as_str())).collect::<Result<Vec<_>, _>>().map_err(KafkaError::Nul)?;
    let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the client outlives this call; every object made here is destroyed once, at the end of its guard, and after the last use
    // of what points into it; the names live until the collection is made, which copies them.
    unsafe {
        let rk = client.native_ptr();
        let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        let topics =
            Guard(c::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len()), c::rd_kafka_TopicCollection_destroy);
        let options = Guard(
            c::rd_kafka_AdminOptions_new(rk, c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS),
            c::rd_kafka_AdminOptions_destroy,
        );
        c::rd_kafka_AdminOptions_set_request_timeout(options.0, wait_ms, ptr::null_mut(), 0);
        let queue = Guard(c::rd_kafka_queue_new(rk), c::rd_kafka_queue_destroy);
        c::rd_kafka_DescribeTopics(rk, topics.0, options.0, queue.0);
        // The request has its own limit; this one is for a client that does not even notice that.
        let event = Guard(c::rd_kafka_queue_poll(queue.0, wait_ms.saturating_add(1_000)), c::rd_kafka_event_destroy);
        if event.0.is_null() {
            return Err(KafkaError::MetadataFetch(Code::OperationTimedOut));
        }
        let code: Code = c::rd_kafka_event_error(event.0).into();
        if code != Code::NoError {
            return Err(KafkaError::MetadataFetch(code));
        }
        described(event.0)
    }
}

/// The ids in the answer.
///
/// # Safety
/// The event is the answer to a description of topics, without an error.
unsafe fn described(event: *mut c::rd_kafka_event_t) -> KafkaResult<HashMap<String, TopicId>> {
    let mut ids = HashMap::new();
    let mut count = 0;
    // SAFETY: the array, and what it points to, belong to the event and live as long as it does.
    unsafe {
        let array = c::rd_kafka_DescribeTopics_result_topics(c::rd_kafka_event_DescribeTopics_result(event), &mut count);
        for place in 0..count {
            let topic = *array.add(place);
            let name = CStr::from_ptr(c::rd_kafka_TopicDescription_name(topic)).to_string_lossy().into_owned();
            let id = match c::rd_kafka_error_code(c::rd_kafka_TopicDescription_error(topic)).into() {
                Code::NoError => id_of(c::rd_kafka_TopicDescription_topic_id(topic)),
                Code::UnknownTopicOrPartition | Code::UnknownTopic => TopicId::Missing,
                code => return Err(KafkaError::MetadataFetch(code)),
            };
            ids.insert(name, id);
        }
    }
    Ok(ids)
}

/// # Safety
/// Null, or an id that lives until this returns.
unsafe fn id_of(id: *const c::rd_kafka_Uuid_t) -> TopicId {
    if id.is_null() {
        return TopicId::None;
    }
    // SAFETY: by the contract of this function.
    let bits = unsafe { (c::rd_kafka_Uuid_most_significant_bits(id), c::rd_kafka_Uuid_least_significant_bits(id)) };
    if bits == (0, 0) { TopicId::None } else { TopicId::Known(bits.0, bits.1) }
}

/// An object of librdkafka with the function that destroys it.
struct Guard<T>(*mut T, unsafe extern "C" fn(*mut T));

impl<T> Drop for Guard<T> {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: made by librdkafka for us, and destroyed nowhere else.
            unsafe { (self.1)(self.0) }
        }
    }
}
