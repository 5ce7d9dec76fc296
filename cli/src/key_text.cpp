#include "key_text.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

namespace tenure::cli {
namespace {

std::string quoted(std::string_view key, bool is_global) {
  return fmt::format("\"{}\"{}", escaped(key, kJobKeyMax), is_global ? " of all tenants" : "");
}

// "2 of 3 run", and whose word the 3 is where it is not the job's own.
std::string running_text(const queue::JobKeys& keys) {
  return fmt::format("{} of {} run{}", keys.running, keys.running_max,
                     keys.limit.empty() ? "" : fmt::format(" (limit {})", escaped(keys.limit)));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> key_texts(const queue::JobKeys& keys) {
  std::vector<std::pair<std::string, std::string>> texts;
  if (const auto& key = keys.concurrency)
    texts.emplace_back("limit",
                       fmt::format("key {}: {}", quoted(key->key, key->is_global), running_text(keys)));
  if (const auto& key = keys.unique)
    texts.emplace_back("unique", fmt::format("key {}, {}", quoted(key->key, key->is_global),
                                             !keys.is_unique_held               ? "which it has no more"
                                             : key->until == UniqueUntil::ended ? "until it has ended"
                                                                                : "until it is started"));
  return texts;
}

std::vector<std::string> holder_texts(const queue::JobKeys& keys, const ShowStyle& style) {
  std::vector<std::string> texts;
  if (!keys.concurrency) return texts;
  const auto& key = *keys.concurrency;
  texts.push_back(fmt::format("{}: {}; {} of its tenant before it", quoted(key.key, key.is_global),
                              running_text(keys), counted(keys.ahead, "job", style)));
  for (const queue::KeyHolder& holder : keys.holders)
    texts.push_back(fmt::format("{} runs since {}", holder.id.text(), full_time_text(holder.started, style)));
  return texts;
}

void write_keys(json::Writer& writer, const queue::JobKeys& keys) {
  writer.key("concurrency");
  if (const auto& key = keys.concurrency) {
    writer.begin_object().key("key").string(to_utf8(key->key)).key("global").boolean(key->is_global);
    writer.key("running_max").integer(key->running_max).key("running").integer(keys.running);
    writer.key("ahead").integer(keys.ahead).key("holders").begin_array();
    for (const queue::KeyHolder& holder : keys.holders) writer.string(holder.id.text());
    writer.end_array().key("allowed").integer(keys.running_max).key("limit");
    if (keys.limit.empty()) writer.null();
    else writer.string(to_utf8(keys.limit));
    writer.end_object();
  } else {
    writer.null();
  }
  writer.key("unique");
  if (const auto& key = keys.unique) {
    writer.begin_object().key("key").string(to_utf8(key->key)).key("global").boolean(key->is_global);
    writer.key("until").string(key->until == UniqueUntil::ended ? "ended" : "started");
    writer.key("held").boolean(keys.is_unique_held).end_object();
  } else {
    writer.null();
  }
}

}  // namespace tenure::cli
