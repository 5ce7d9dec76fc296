#include "limit_text.hpp"

#include "listing.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

namespace tenure::cli {

using queue::LimitBounds;
using queue::LimitRecord;
using queue::LimitStanding;
using queue::LimitTarget;

std::string bounds_text(const LimitBounds& bounds) {
  std::string text = bounds.running ? fmt::format("{} run", *bounds.running) : "";
  if (bounds.rate) text += (text.empty() ? "" : ", ") + text_of(*bounds.rate);
  return text;
}

std::string target_text(const LimitTarget& target) {
  std::string text;
  if (target.kind != "*") text = "kind " + escaped(target.kind);
  if (target.queue != "*") text += (text.empty() ? "queue " : " in queue ") + escaped(target.queue);
  if (text.empty()) text = "all jobs";
  const std::string per = queue::text_of(target.per);
  return per.empty() ? text : text + " per " + per;
}

std::string counted_text(const LimitStanding& standing) {
  std::string text;
  const auto add = [&](std::string_view what, const std::string& name) {
    if (!name.empty()) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", what, escaped(name));
  };
  add("tenant", standing.tenant);
  add("kind", standing.kind);
  add("queue", standing.queue);
  add("key", standing.key);
  return text;
}

std::string short_text(const LimitStanding& standing) {
  const LimitBounds bounds = standing.limit.bounds();
  const std::string name = escaped(standing.limit.name);
  if (standing.gate() == queue::JobReason::limit_rate)
    return fmt::format("limit {}, {} used up", name, text_of(*bounds.rate));
  return fmt::format("limit {}, {} of {} run", name, standing.use.running, bounds.running.value_or(0));
}

std::string more_text(const LimitStanding& standing) {
  const LimitBounds bounds = standing.limit.bounds();
  if (bounds.running && standing.use.running >= *bounds.running)
    return std::to_string(standing.use.running + 1);
  StartRate rate = bounds.rate.value_or(StartRate{});
  ++rate.starts;
  return text_of(rate);
}

std::vector<std::string> limit_texts(const LimitStanding& standing, const ShowStyle& style) {
  const LimitBounds bounds = standing.limit.bounds();
  const std::string who = counted_text(standing);
  std::vector<std::string> texts;
  if (bounds.running && standing.use.running >= *bounds.running) {
    texts.push_back(fmt::format("{}: {}{} of {} run", escaped(standing.limit.name),
                                who.empty() ? "" : "of " + who + " ", standing.use.running, *bounds.running));
    for (const queue::KeyHolder& holder : standing.holders)
      texts.push_back(
          fmt::format("  {} runs since {}", holder.id.text(), full_time_text(holder.started, style)));
  }
  if (standing.use.next_start)
    texts.push_back(fmt::format("{}: {}{} have started, the next one may {}", escaped(standing.limit.name),
                                who.empty() ? "" : "of " + who + " ", text_of(*bounds.rate),
                                full_time_text(standing.use.next_start, style)));
  return texts;
}

namespace {

void write_bounds(json::Writer& writer, std::string_view key, const std::optional<LimitBounds>& bounds) {
  writer.key(key);
  if (!bounds) {
    writer.null();
    return;
  }
  writer.begin_object().key("running");
  if (bounds->running) writer.integer(*bounds->running);
  else writer.null();
  writer.key("rate");
  if (bounds->rate) writer.string(text_of(*bounds->rate));
  else writer.null();
  writer.end_object();
}

}  // namespace

void write_limit(json::Writer& writer, const LimitRecord& limit) {
  writer.begin_object();
  write_text(writer, "name", limit.name);
  write_text(writer, "kind", limit.target.kind);
  write_text(writer, "queue", limit.target.queue);
  write_text(writer, "per", queue::text_of(limit.target.per));
  write_bounds(writer, "bounds", limit.bounds());
  write_bounds(writer, "declared", limit.declared);
  writer.key("set");
  if (limit.set) {
    writer.begin_object();
    write_bounds(writer, "bounds", limit.set->bounds);
    write_time(writer, "at", limit.set->when);
    writer.key("uid").integer(limit.set->uid);
    write_text(writer, "login", limit.set->login);
    write_text(writer, "reason", limit.set->reason);
    writer.end_object();
  } else {
    writer.null();
  }
  writer.end_object();
}

void write_standing(json::Writer& writer, const LimitStanding& standing) {
  writer.begin_object();
  write_text(writer, "limit", standing.limit.name);
  write_text(writer, "tenant", standing.tenant);
  write_text(writer, "kind", standing.kind);
  write_text(writer, "queue", standing.queue);
  write_text(writer, "key", standing.key);
  write_text(writer, "gate",
             standing.gate() == queue::JobReason::none ? "" : queue::name_of(standing.gate()));
  write_bounds(writer, "bounds", standing.limit.bounds());
  writer.key("running").integer(standing.use.running).key("starts").integer(standing.use.starts);
  write_time(writer, "next_start", standing.use.next_start);
  writer.key("holders").begin_array();
  for (const queue::KeyHolder& holder : standing.holders) {
    writer.begin_object().key("id").string(holder.id.text());
    write_time(writer, "started", holder.started);
    writer.end_object();
  }
  writer.end_array().end_object();
}

}  // namespace tenure::cli
