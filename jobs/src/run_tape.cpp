#include "run_tape.hpp"

#include "in_place.hpp"
#include "outbox_writer.hpp"

#include <tenure/base/exception_text.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/job_keys_text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

namespace tenure::detail {
namespace {

constexpr std::size_t kReadingsMax = 1'000'000;
constexpr std::size_t kCallsMax = 100'000;
constexpr std::size_t kBytesMax = 64UL << 20U;

std::uint64_t seed_of_ids(std::uint64_t seed) {
  constexpr std::uint64_t kOther = 0x9E3779B97F4A7C15U;
  return Random{seed ^ kOther}.next();
}

// What was thrown, so that it ends a replay with the same text.
Failure failure_of_thrown() {
  try {
    throw;
  } catch (const Error& error) {
    Failure failure = error.failure();
    failure.message += text_of_nested(error);
    return failure;
  } catch (const std::exception&) {
    return {ErrorCode::handler_failed, text_of_thrown()};
  } catch (...) {
    return {ErrorCode::handler_failed, "the handler threw " + text_of_thrown()};
  }
}

std::size_t bytes_of_call(const replay::RecordedCall& call) {
  std::size_t bytes = sizeof call + call.name.size() + call.value.size();
  if (call.failure)
    bytes += call.failure->message.size() + call.failure->tenant.size() + call.failure->where.size();
  return bytes;
}

}  // namespace

RunTape::RunTape(std::uint64_t seed, const Clock& clock) : RunTape(seed, &clock, nullptr, {}) {}

RunTape::RunTape(const replay::RunRecord& recorded, WallTime started)
    : RunTape(recorded.seed, nullptr, &recorded, started) {}

RunTape::RunTape(std::uint64_t seed, const Clock* clock, const replay::RunRecord* recorded, WallTime started)
    : real_(clock),
      recorded_(recorded),
      started_(started),
      random_(seed),
      random_in_calls_(Random::seed_from_system()),
      ids_(seed_of_ids(seed)) {
  record_.seed = seed;
}

WallTime RunTape::read_wall() {
  const bool is_of_run = std::this_thread::get_id() == thread_ && !in_call_;
  const std::lock_guard lock(readings_mutex_);
  if (real_ == nullptr) return answered_reading(is_of_run);
  const WallTime now = real_->wall();
  if (!is_of_run || trouble_) return now;
  guard([&] {
    if (record_.readings.size() == kReadingsMax)
      raise(ErrorCode::limit_reached,
            fmt::format("the run has asked for the time more than {} times", kReadingsMax));
    record_.readings.push_back(now);
  });
  return now;
}

// Behind the last one the clock stands still.
WallTime RunTape::answered_reading(bool is_of_run) {
  const std::vector<WallTime>& readings = recorded_->readings;
  if (readings.empty()) return started_;
  const WallTime now = readings[std::min(next_reading_, readings.size() - 1)];
  if (!is_of_run) return now;
  if (next_reading_ < readings.size()) ++next_reading_;
  record_.readings.push_back(now);
  return now;
}

std::string RunTape::call(std::string_view name, FunctionRef<void()> function,
                          FunctionRef<std::string()> encode) {
  if (recorded_ != nullptr) return answer(name);
  try {
    const InPlace<bool> in_call(in_call_, true);
    function();
  } catch (...) {  // it goes on
    guard([&] { keep({.name = std::string(name), .value = {}, .failure = failure_of_thrown()}); });
    throw;
  }
  guard([&] { keep_call(name, encode); });
  return {};
}

// The run has its value, whether or not it can be kept.
void RunTape::keep_call(std::string_view name, FunctionRef<std::string()> encode) {
  try {
    keep({.name = std::string(name), .value = encode()});
  } catch (const Error& error) {
    raise({error.code(),
           fmt::format("the value of the recorded call \"{}\" cannot be kept: {}", escaped(name),
                       error.failure().message),
           {},
           error.failure().where});
  }
}

void RunTape::keep(replay::RecordedCall call) {
  if (record_.calls.size() == kCallsMax)
    raise(ErrorCode::limit_reached, fmt::format("the run has made more than {} recorded calls", kCallsMax));
  take_room(bytes_of_call(call));
  record_.calls.push_back(std::move(call));
}

void RunTape::take_room(std::size_t bytes) {
  if (bytes > kBytesMax - bytes_)
    raise(
        ErrorCode::limit_reached,
        fmt::format("the recorded calls of the run and the jobs that it has enqueued are more than {} bytes",
                    kBytesMax));
  bytes_ += bytes;
}

// Where there is no memory left, there is none for a long text either.
void RunTape::guard(FunctionRef<void()> work) noexcept {
  if (trouble_) return;
  try {
    try {
      work();
    } catch (const Error& error) {
      give_up(error.failure());
    }
  } catch (const std::bad_alloc&) {
    give_up({ErrorCode::out_of_memory, "no memory left"});
  } catch (...) {
    give_up({ErrorCode::bad_payload, "not encoded"});
  }
}

void RunTape::give_up(Failure why) noexcept {
  if (trouble_) return;
  trouble_ = std::move(why);
  record_ = {};
}

std::string RunTape::answer(std::string_view name) {
  const std::vector<replay::RecordedCall>& calls = recorded_->calls;
  if (trouble_ || next_call_ == calls.size() || calls[next_call_].name != name) leave_recording(name);
  const replay::RecordedCall& recorded = calls[next_call_++];
  record_.calls.push_back(recorded);
  if (recorded.failure) raise(*recorded.failure);
  return recorded.value;
}

void RunTape::leave_recording(std::string_view name) {
  if (!trouble_) {
    const auto& calls = recorded_->calls;
    const std::string there =
        next_call_ == calls.size() ? "none" : fmt::format("\"{}\"", escaped(calls[next_call_].name));
    trouble_ =
        Failure{ErrorCode::replay_differs,
                fmt::format("the replay makes the recorded call \"{}\" where the capsule's run has made "
                            "{} (call {})",
                            escaped(name), there, next_call_ + 1)};
    record_.calls.push_back({.name = std::string(name), .value = {}, .failure = trouble_});
  }
  raise(*trouble_);
}

bool RunTape::has_room_for(std::size_t bytes) noexcept {
  guard([&] {
    take_room(bytes);
    bytes_ -= bytes;
  });
  return !trouble_;
}

void RunTape::enqueued(const std::vector<queue::NewJob>& jobs) noexcept {
  guard([&] {
    for (const queue::NewJob& job : jobs) {
      take_room(bytes_of_job(job));
      record_.jobs.push_back({.id = job.id,
                              .kind = job.kind,
                              .queue = job.queue,
                              .priority = job.priority.value,
                              .due = job.due,
                              .attempts_max = job.attempts_max,
                              .arguments = job.arguments,
                              .keys = queue::stated_keys_text(job),
                              .start_before = job.start_before});
    }
  });
}

}  // namespace tenure::detail
