#include "outbox_keys.hpp"

#include <tenure/base/json.hpp>
#include <tenure/queue/job_keys_text.hpp>

#include <limits>

namespace tenure::queue {
namespace {

constexpr std::string_view kUntilEnded = "ended";
constexpr std::string_view kUntilStarted = "started";
constexpr std::size_t kDepthMax = 3;

template <class T, class Getter>
T member_or(const json::Value& object, std::string_view name, Getter get, T otherwise) {
  const auto member = object.member(name);
  const auto value = member ? get(*member) : decltype(get(*member)){otherwise};
  return value ? T(*value) : otherwise;
}

std::string text_of(const json::Value& object, std::string_view name) {
  return member_or<std::string>(object, name,
                                [](const json::Value& value) -> Result<std::string> {
                                  const auto text = value.string();
                                  if (!text) return tl::unexpected(text.error());
                                  return std::string{*text};
                                },
                                {});
}

bool flag_of(const json::Value& object, std::string_view name) {
  return member_or<bool>(
      object, name, [](const json::Value& value) { return value.boolean(); }, false);
}

int number_of(const json::Value& object, std::string_view name) {
  const auto number = member_or<std::int64_t>(
      object, name, [](const json::Value& value) { return value.integer(); }, 0);
  return number < 0 || number > kRunningMax ? 0 : static_cast<int>(number);
}

}  // namespace

std::string stated_keys_text(const NewJob& job) { return has_keys(job) ? keys_text(job) : std::string{}; }

std::string keys_text(const NewJob& job) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  if (const auto& key = job.concurrency) {
    writer.key("concurrency").begin_object().key("key").string(key->key);
    writer.key("running_max").integer(key->running_max).key("global").boolean(key->is_global).end_object();
  }
  if (const auto& key = job.unique) {
    writer.key("unique").begin_object().key("key").string(key->key);
    writer.key("until").string(key->until == UniqueUntil::ended ? kUntilEnded : kUntilStarted);
    writer.key("global").boolean(key->is_global).end_object();
  }
  if (job.batch) writer.key("batch").string(job.batch->text());
  writer.end_object();
  return out;
}

// What was read is written again: where that is another text, something was added, left out or said in another way.
Result<void> read_keys(std::string_view text, NewJob& job) {
  const auto document = json::Document::parse(text, {.bytes_max = kKeysTextMax, .depth_max = kDepthMax});
  if (!document)
    return fail(ErrorCode::bad_payload, "NotAnOutboxRow: its keys are no JSON: " + document.error().message);
  const json::Value root = document->root();
  if (const auto key = root.member("concurrency"))
    job.concurrency =
        ConcurrencyKey{text_of(*key, "key"), number_of(*key, "running_max"), flag_of(*key, "global")};
  if (const auto key = root.member("unique"))
    job.unique =
        UniqueKey{text_of(*key, "key"),
                  text_of(*key, "until") == kUntilStarted ? UniqueUntil::started : UniqueUntil::ended,
                  flag_of(*key, "global")};
  if (const auto batch = Uuid::parse(text_of(root, "batch"))) job.batch = BatchId{*batch};
  if (keys_text(job) != text || !has_keys(job))
    return fail(ErrorCode::bad_payload, "NotAnOutboxRow: its keys are none that a row of ours has");
  return {};
}

}  // namespace tenure::queue
