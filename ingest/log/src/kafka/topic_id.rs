//! Topic ids: a topic that was deleted and recreated keeps its name but has another id.
//!
//! rdkafka does not expose them, so librdkafka is called directly. A broker older than
//! Kafka 2.8 has no ids; then nothing is compared, and only the services' own comparison of records detects another log.

#![allow(unsafe_code, reason = "the ids of topics are in the C interface only")]

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as c;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};

/// Id of one topic as the broker reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TopicId {
    /// The two halves of the UUID.
    Known { high: i64, low: i64 },
    /// The broker does not support topic ids.
    Unsupported,
    /// The topic does not exist.
    Missing,
}

/// Queries the ids of these topics, by their names on the broker; blocks for about `wait` at most.
pub(super) fn topic_ids<C: ClientContext>(client: &Client<C>, names: &[String], wait: Duration) -> KafkaResult<HashMap<String, TopicId>> {
    let names = names.iter().map(|name| CString::new(name.as_str())).collect::<Result<Vec<_>, _>>().map_err(KafkaError::Nul)?;
    let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the client outlives this call; each `NativePtr` destroys its object once, after the last use of pointers into it; the
    // names live until the collection has copied them.
    unsafe {
        let rk = client.native_ptr();
        let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        let topics = NativePtr(
            c::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len()),
            c::rd_kafka_TopicCollection_destroy,
        );
        let options = NativePtr(
            c::rd_kafka_AdminOptions_new(rk, c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS),
            c::rd_kafka_AdminOptions_destroy,
        );
        c::rd_kafka_AdminOptions_set_request_timeout(options.0, wait_ms, ptr::null_mut(), 0);
        let queue = NativePtr(c::rd_kafka_queue_new(rk), c::rd_kafka_queue_destroy);
        c::rd_kafka_DescribeTopics(rk, topics.0, options.0, queue.0);
        // The request has its own timeout; this one is for a client that does not apply it.
        let event = NativePtr(c::rd_kafka_queue_poll(queue.0, wait_ms.saturating_add(1_000)), c::rd_kafka_event_destroy);
        if event.0.is_null() {
            return Err(KafkaError::MetadataFetch(Code::OperationTimedOut));
        }
        let code: Code = c::rd_kafka_event_error(event.0).into();
        if code != Code::NoError {
            return Err(KafkaError::MetadataFetch(code));
        }
        read_topic_ids(event.0)
    }
}

/// Reads the ids from the result of a DescribeTopics request.
///
/// # Safety
/// The event is the result of DescribeTopics and has no error.
unsafe fn read_topic_ids(event: *mut c::rd_kafka_event_t) -> KafkaResult<HashMap<String, TopicId>> {
    let mut ids = HashMap::new();
    let mut count = 0;
    // SAFETY: the event owns the array and everything it points to.
    unsafe {
        let array = c::rd_kafka_DescribeTopics_result_topics(c::rd_kafka_event_DescribeTopics_result(event), &mut count);
        for index in 0..count {
            let topic = *array.add(index);
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
/// `id` is null or valid until this returns.
unsafe fn id_of(id: *const c::rd_kafka_Uuid_t) -> TopicId {
    if id.is_null() {
        return TopicId::Unsupported;
    }
    // SAFETY: not null, so valid by the contract of this function.
    let (high, low) = unsafe { (c::rd_kafka_Uuid_most_significant_bits(id), c::rd_kafka_Uuid_least_significant_bits(id)) };
    if (high, low) == (0, 0) { TopicId::Unsupported } else { TopicId::Known { high, low } }
}

/// Owned pointer to an object of librdkafka, with the function that destroys it.
struct NativePtr<T>(*mut T, unsafe extern "C" fn(*mut T));

impl<T> Drop for NativePtr<T> {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: created by librdkafka, owned by this value, destroyed nowhere else.
            unsafe { (self.1)(self.0) }
        }
    }
}
