#include "listing.hpp"
#include "nouns.hpp"

#include <fmt/format.h>

// The file of the control database: its log moved into it, and its free room given back.
namespace tenure::cli {
namespace {

std::string text_of_log(const queue::MovedLog& moved, const ShowStyle& style) {
  const std::string bytes = bytes_text(moved.bytes, style);
  return moved.is_complete
             ? fmt::format("moved a log of {} into the database\n", bytes)
             : fmt::format(
                   "moved a part of a log of {} into the database; a reader that is at work keeps the "
                   "rest\n",
                   bytes);
}

std::string json_of_log(const queue::MovedLog& moved) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.store.checkpoint/1").key("item").begin_object();
  writer.key("log_bytes").integer(moved.bytes).key("complete").boolean(moved.is_complete);
  writer.end_object().end_object();
  return out;
}

std::string text_of_compacted(const queue::CompactedStore& compacted, const ShowStyle& style) {
  return fmt::format("{} before, {} now{}\n", bytes_text(compacted.bytes_before, style),
                     bytes_text(compacted.bytes_after, style),
                     compacted.is_complete
                         ? ""
                         : "; a reader that is at work keeps the log: the room is given back "
                           "by tenure store checkpoint when it has ended");
}

std::string json_of_compacted(const queue::CompactedStore& compacted) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.store.compact/1").key("item").begin_object();
  writer.key("before_bytes")
      .integer(compacted.bytes_before)
      .key("after_bytes")
      .integer(compacted.bytes_after)
      .key("complete")
      .boolean(compacted.is_complete);
  writer.end_object().end_object();
  return out;
}

}  // namespace

ExitCode store_checkpoint(Session& session) {
  const queue::MovedLog moved = session.checkpoint();
  if (session.json()) session.print_json(json_of_log(moved));
  else session.print(text_of_log(moved, session.style()));
  return ExitCode::done;
}

ExitCode store_compact(Session& session) {
  const queue::CompactedStore compacted = session.compact();
  if (session.json()) session.print_json(json_of_compacted(compacted));
  else session.print(text_of_compacted(compacted, session.style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
