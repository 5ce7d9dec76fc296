#include "captures.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr std::size_t kReasonShown = 500;  // bytes: all of it is in the store

// The less the more specific.
int rank_of(const queue::OpenCapture& request) {
  if (request.job) return 0;
  if (request.tenant) return request.kind.empty() ? 2 : 1;
  return 3;
}

bool is_of(const queue::OpenCapture& request, const queue::ClaimedJob& job) {
  if (request.job) return *request.job == job.seq;
  return (!request.tenant || *request.tenant == job.lane.tenant) &&
         (request.kind.empty() || request.kind == job.kind);
}

Note note_of(const CapturedRun& run, const queue::TakenCapsule& taken, std::string_view kind) {
  Note note;
  note.kind = kind;
  if (!taken.file.empty()) {
    note.event = "capsule.taken";
    note.message = fmt::format(
        "The run of job {} of tenant {} was captured, as request {} asks: {}, in the folder of "
        "capsules.",
        run.job.text(), run.tenant, taken.request.value, taken.file);
    return note;
  }
  note.level = Note::Level::warning;
  note.event = "capsule.failed";
  note.message =
      fmt::format("The run of job {} of tenant {} could not be captured, as request {} asks: {}",
                  run.job.text(), run.tenant, taken.request.value,
                  taken.failure ? escaped(taken.failure->text(), kReasonShown) : "nobody has said why");
  return note;
}

}  // namespace

void Captures::read(queue::OpenCaptures open) {
  mark_ = open.mark;
  requests_ = std::move(open.requests);
  std::ranges::stable_sort(requests_, {}, rank_of);
}

bool Captures::has_expired(WallTime now) const {
  return std::ranges::any_of(requests_,
                             [&](const queue::OpenCapture& request) { return request.until <= now; });
}

int Captures::running_of(queue::CaptureNumber number) const {
  const auto found = running_.find(number);
  return found == running_.end() ? 0 : found->second;
}

std::optional<queue::CaptureWish> Captures::wish_for(const queue::ClaimedJob& job, WallTime now) {
  if (requests_.empty() || !job.tenant) return std::nullopt;
  for (const queue::OpenCapture& request : requests_) {
    if (!is_of(request, job) || request.until <= now || running_of(request.number) >= request.left) continue;
    ++running_[request.number];
    return queue::CaptureWish{request.number, request.on};
  }
  return std::nullopt;
}

// The store has counted a capsule in the commit that this answers; what is read of the request later says so too.
void Captures::ended(const CapturedRun& run, std::string_view kind, Actions& actions) {
  const auto running = running_.find(run.wish.request);
  TENURE_INVARIANT(running != running_.end() && running->second > 0);
  if (--running->second == 0) running_.erase(running);
  if (!run.taken) return;
  for (queue::OpenCapture& request : requests_)
    if (request.number == run.wish.request) --request.left;
  actions.emplace_back(note_of(run, *run.taken, kind));
}

}  // namespace tenure::daemon
