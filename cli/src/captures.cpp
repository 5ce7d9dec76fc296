#include "captures.hpp"

#include "listing.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

namespace tenure::cli {
namespace {

using queue::CaptureOn;

constexpr std::size_t kCaptureErrorShown = 500;

std::string_view ends_text(CaptureOn on, bool is_one) {
  switch (on) {
    case CaptureOn::failure:
      return is_one ? "that fails" : "that fail";
    case CaptureOn::success:
      return is_one ? "that succeeds" : "that succeed";
    case CaptureOn::any_end:
      return is_one ? "that ends" : "that end";
  }
  return "";
}

}  // namespace

std::vector<queue::CaptureRecord> open_captures(queue::JobReader& reader, WallTime now) {
  std::vector<queue::CaptureRecord> requests = reader.captures();
  std::erase_if(requests, [&](const queue::CaptureRecord& request) { return request.until <= now; });
  return requests;
}

std::vector<queue::CaptureRecord> captures_of(queue::JobReader& reader, queue::JobId job, WallTime now) {
  std::vector<queue::CaptureRecord> requests = open_captures(reader, now);
  std::erase_if(requests, [&](const queue::CaptureRecord& request) { return request.target.job != job; });
  return requests;
}

std::string target_text(const queue::CaptureTarget& target) {
  if (target.job) return "job " + target.job->text();
  const std::string tenant = target.tenant ? "tenant " + escaped(target.tenant->text()) : "";
  if (target.kind.empty()) return tenant;
  return fmt::format("kind {}{}{}", escaped(target.kind), tenant.empty() ? "" : " of ", tenant);
}

std::string request_text(const queue::CaptureRecord& request, const ShowStyle& style) {
  const bool is_one = request.left == 1;
  const std::string name =
      request.number.value == 0 ? "a request" : fmt::format("request {}", request.number.value);
  std::string text = fmt::format("{}: the next {}{} of {} {}, until {}", name,
                                 is_one ? "" : number_text(request.left, style) + " ",
                                 is_one ? "run" : "runs", target_text(request.target),
                                 ends_text(request.on, is_one), full_time_text(request.until, style));
  if (request.taken > 0) text += fmt::format("; {} taken", number_text(request.taken, style));
  if (request.failed > 0) text += fmt::format("; {} failed", number_text(request.failed, style));
  return text;
}

void write_request(json::Writer& writer, const queue::CaptureRecord& request) {
  const queue::CaptureTarget& target = request.target;
  writer.begin_object().key("number");
  if (request.number.value == 0) writer.null();
  else writer.integer(request.number.value);
  writer.key("job");
  if (target.job) writer.string(target.job->text());
  else writer.null();
  writer.key("kind");
  if (target.kind.empty()) writer.null();
  else writer.string(to_utf8(target.kind));
  writer.key("tenant");
  if (target.tenant) writer.string(to_utf8(target.tenant->text()));
  else writer.null();
  writer.key("on").string(name_of(request.on)).key("left").integer(request.left);
  writer.key("taken").integer(request.taken).key("failed").integer(request.failed);
  write_time(writer, "asked", request.asked);
  write_time(writer, "until", request.until);
  writer.key("uid").integer(request.uid);
  write_text(writer, "login", request.login);
  write_text(writer, "reason", request.reason);
  writer.end_object();
}

std::string capsule_text(const queue::CapsuleNote& note, const ShowStyle& style) {
  const std::string what = !note.file.empty() ? escaped(note.file)
                           : note.failure     ? "none: " + escaped(note.failure->text(), kCaptureErrorShown)
                                              : "none";
  return fmt::format("{}, request {}, {}", what, note.request.value, time_text(note.at, style));
}

void write_capsule_note(json::Writer& writer, const queue::CapsuleNote& note) {
  writer.begin_object().key("request").integer(note.request.value);
  write_time(writer, "at", note.at);
  writer.key("file");
  if (note.file.empty()) writer.null();
  else writer.string(to_utf8(note.file));
  writer.key("code");
  if (note.failure) writer.string(name_of(note.failure->code));
  else writer.null();
  write_text(writer, "error", note.failure ? note.failure->message : "");
  writer.end_object();
}

}  // namespace tenure::cli
