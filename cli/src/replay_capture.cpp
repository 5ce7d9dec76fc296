#include "captures.hpp"
#include "job.hpp"
#include "nouns.hpp"
#include "until_option.hpp"

#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

// Asking for capsules of runs to come, and taking that back.
namespace tenure::cli {
namespace {

using queue::CaptureNumber;
using queue::CaptureOn;
using queue::CaptureRecord;

constexpr std::chrono::hours kUntilDefault{24};
constexpr int kCountOfJob = 1;
constexpr int kCountOfMany = 5;

queue::CaptureTarget target_of(Session& session) {
  queue::CaptureTarget target;
  if (!session.words().empty()) target.job = job_id(session, session.words().front());
  if (session.has("kind")) {
    target.kind = session.option("kind");
    value_or_raise(check_name(NameOf::kind, target.kind));
  }
  if (session.has("tenant")) target.tenant = value_or_raise(TenantName::parse(session.option("tenant")));
  if (target.job && (session.has("kind") || session.has("tenant")))
    raise(ErrorCode::bad_options, "a job is named by its id alone, without --kind and --tenant");
  if (!target.job && !session.has("kind") && !session.has("tenant"))
    raise(ErrorCode::bad_options,
          "say of which runs: a job's id, or --kind, --tenant or both; see tenure replay capture --help");
  return target;
}

WallTime until_of(const Session& session) {
  const std::string bound =
      fmt::format("a capture is open for at most {} days", queue::kCaptureUntilMax.count() / 24);
  return until_option(session, queue::kCaptureUntilMax, bound).value_or(session.now() + kUntilDefault);
}

CaptureOn on_of(const Session& session) {
  if (!session.has("on")) return CaptureOn::failure;
  const auto on = queue::capture_on_named(session.option("on"));
  if (!on)
    raise(ErrorCode::bad_options,
          fmt::format("--on {} is none of failure, success, any", escaped(session.option("on"), 64)));
  return *on;
}

queue::NewCapture request_of(Session& session) {
  queue::NewCapture request{.target = target_of(session), .on = on_of(session), .until = until_of(session)};
  request.count = request.target.job ? kCountOfJob : kCountOfMany;
  if (session.has("count"))
    request.count = static_cast<int>(
        value_or_raise(whole_number("count", session.option("count"), 1, queue::kCaptureCountMax)));
  request.uid = session.who().uid;
  request.login = session.who().login;
  request.reason = session.option("reason");
  return request;
}

std::string subject_of(const CaptureRecord& request) {
  return fmt::format("request {}: {}, {} on {}, until {}", request.number.value, target_text(request.target),
                     request.left, name_of(request.on), to_rfc3339(request.until));
}

std::string json_of(const std::vector<CaptureRecord>& requests, std::string_view schema, bool is_dry) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object()
      .key("schema")
      .string(schema)
      .key("dry_run")
      .boolean(is_dry)
      .key("items")
      .begin_array();
  for (const CaptureRecord& request : requests) write_request(writer, request);
  writer.end_array().end_object();
  return out;
}

// Nothing of it is kept.
struct DryRun {};

CaptureRecord ask(Session& session, const queue::NewCapture& wanted) {
  CaptureRecord asked{.number = {},
                      .target = wanted.target,
                      .generation = {},
                      .on = wanted.on,
                      .left = wanted.count,
                      .asked = session.now(),
                      .until = wanted.until,
                      .uid = wanted.uid,
                      .login = wanted.login,
                      .reason = wanted.reason};
  try {
    session.change([&](queue::StoreWriter& writer) {
      const CaptureNumber number = value_or_raise(writer.ask_for_capture(wanted, session.now()));
      if (session.has("dry-run")) throw DryRun{};
      asked.number = number;
      return Changed{1, subject_of(asked)};
    });
    session.wake();
  } catch (const DryRun&) {  // the store has looked at it and takes it back
  }
  return asked;
}

CaptureNumber number_of(std::string_view word) {
  std::int64_t number = 0;
  const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || rest != word.data() + word.size() || number < 1)
    raise(ErrorCode::bad_options,
          fmt::format("'{}' is no number of a request; tenure replay list shows them", escaped(word, 64)));
  return CaptureNumber{number};
}

CaptureRecord find_request(const std::vector<CaptureRecord>& open, CaptureNumber number) {
  const auto found = std::ranges::find(open, number, &CaptureRecord::number);
  if (found == open.end())
    throw Refused{"CaptureNotFound",
                  fmt::format("request {} is not open (any more); tenure replay list shows "
                              "those that are",
                              number.value)};
  return *found;
}

// All or none.
void withdraw(Session& session, const std::vector<CaptureRecord>& requests) {
  session.change([&](queue::StoreWriter& writer) {
    std::string subject;
    for (const CaptureRecord& request : requests) {
      if (!writer.withdraw_capture(request.number)) (void)find_request({}, request.number);
      subject += (subject.empty() ? "" : "; ") +
                 fmt::format("request {}: {}", request.number.value, target_text(request.target));
    }
    return Changed{std::ssize(requests), std::move(subject)};
  });
  session.wake();
}

}  // namespace

ExitCode replay_capture(Session& session) {
  const queue::NewCapture wanted = request_of(session);
  const CaptureRecord asked = ask(session, wanted);
  const bool is_dry = session.has("dry-run");
  if (session.json()) {
    session.print_json(json_of({asked}, "tenure.replay.capture/1", is_dry));
    return ExitCode::done;
  }
  session.print((is_dry ? "would make " : "made ") + request_text(asked, session.style()) + '\n');
  return ExitCode::done;
}

ExitCode replay_cancel(Session& session) {
  std::vector<CaptureRecord> open, requests;
  session.readable_store().read(
      [&](queue::JobReader& reader) { open = open_captures(reader, session.now()); });
  for (const std::string& word : session.words()) {
    CaptureRecord request = find_request(open, number_of(word));
    if (std::ranges::find(requests, request.number, &CaptureRecord::number) == requests.end())
      requests.push_back(std::move(request));
  }
  const bool is_dry = session.has("dry-run");
  if (!is_dry) withdraw(session, requests);
  if (session.json()) {
    session.print_json(json_of(requests, "tenure.replay.cancel/1", is_dry));
    return ExitCode::done;
  }
  for (const CaptureRecord& request : requests)
    session.print(fmt::format("{}request {}: {}\n", is_dry ? "would cancel " : "cancelled ",
                              request.number.value, target_text(request.target)));
  return ExitCode::done;
}

}  // namespace tenure::cli
