#include "sweep_plan.hpp"

#include <algorithm>

namespace tenure::daemon {
namespace {

// Before whatever time has made due.
constexpr Instant kAtOnce{std::chrono::microseconds{-1}};

std::chrono::microseconds back_off(int looks_in_trouble) {
  constexpr int kDoublingsMax = 6;
  const auto doubled = SweepPlan::kBackOffMin * (1 << std::min(looks_in_trouble - 1, kDoublingsMax));
  return std::min<std::chrono::microseconds>(doubled, SweepPlan::kBackOffMax);
}

}  // namespace

void SweepPlan::marked(std::span<const queue::OutboxMark> marks, Mark when, Instant now) {
  for (const queue::OutboxMark& mark : marks) {
    add(mark, when, now);
    read_until_ = std::max(read_until_, mark.number);
  }
}

void SweepPlan::add(const queue::OutboxMark& mark, Mark when, Instant now) {
  const auto [file, is_new] =
      files_.try_emplace(key_of(mark.owner), File{.due = now + kLookEvery, .quiet_since = now});
  if (is_new) {
    file->second.waits_since = mark.marked;
    by_due_.emplace(file->second.due, file->first);
  }
  // The one before it has this number now.
  if (mark.is_for_one_look())
    std::erase_if(file->second.marks, [&](const auto& each) { return each.second.epoch == mark.epoch; });
  file->second.marks.emplace(mark.number, mark);
  file->second.quiet_since = now;
  const bool comes_at_once = when == Mark::at_start || mark.is_for_one_look();
  if (comes_at_once && file->second.looks_in_trouble == 0) set_due(file, kAtOnce);
}

std::optional<SweepLook> SweepPlan::next(Instant now) const {
  if (by_due_.empty() || by_due_.begin()->first > now) return std::nullopt;
  const Key& key = by_due_.begin()->second;
  const File& file = files_.at(key);
  SweepLook look{.owner = {key.first, key.second}, .ending = {}};
  const bool is_quiet = file.watermark && now - file.quiet_since >= kQuietFor;
  for (const auto& [number, mark] : file.marks)
    if (is_quiet || mark.is_for_one_look()) look.ending.push_back(mark);
  return look;
}

std::optional<Instant> SweepPlan::next_at() const {
  return by_due_.empty() ? std::nullopt : std::optional{by_due_.begin()->first};
}

bool SweepPlan::looked(const SweepLook& look, const SweepOutcome& outcome, Now now) {
  const auto found = files_.find(key_of(look.owner));
  if (found == files_.end()) return false;
  File& file = found->second;
  const bool is_news = note_trouble(file, outcome);
  if (outcome.trouble.empty() && file.watermark != outcome.watermark) {
    file.watermark = outcome.watermark;
    file.quiet_since = now.steady;
  }
  if (outcome.is_empty) file.waits_since = now.wall;
  if (outcome.has_ended_marks)
    for (const queue::OutboxMark& mark : look.ending) file.marks.erase(mark.number);
  if (file.marks.empty()) erase(found);
  else set_due(found, due_after(file, outcome, now.steady));
  return is_news;
}

bool SweepPlan::note_trouble(File& file, const SweepOutcome& outcome) {
  file.trouble = outcome.trouble;
  if (outcome.trouble.empty()) {
    file.looks_in_trouble = 0;
    file.told_trouble.clear();
  } else if (!outcome.is_of_store) {
    ++file.looks_in_trouble;
  }
  return file.trouble != file.told_trouble;
}

Instant SweepPlan::due_after(const File& file, const SweepOutcome& outcome, Instant now) {
  if (outcome.is_of_store) return now + kBackOffMin;
  if (file.looks_in_trouble > 0) return now + back_off(file.looks_in_trouble);
  // There was more than one look takes along: next, but behind the others that are due.
  return outcome.is_empty ? now + kLookEvery : now;
}

void SweepPlan::told(const queue::OutboxOwner& owner) {
  if (const auto found = files_.find(key_of(owner)); found != files_.end())
    found->second.told_trouble = found->second.trouble;
}

void SweepPlan::drop(const queue::OutboxOwner& owner) {
  if (const auto found = files_.find(key_of(owner)); found != files_.end()) erase(found);
}

void SweepPlan::leave(const queue::OutboxOwner& owner) {
  const auto found = files_.find(key_of(owner));
  if (found == files_.end()) return;
  File& file = found->second;
  by_due_.erase({file.due, found->first});
  file.is_left = true;
  file.looks_in_trouble = std::max(file.looks_in_trouble, 1);
}

std::vector<queue::OutboxMark> SweepPlan::marks_of(const queue::OutboxOwner& owner) const {
  std::vector<queue::OutboxMark> marks;
  if (const auto found = files_.find(key_of(owner)); found != files_.end())
    for (const auto& [number, mark] : found->second.marks) marks.push_back(mark);
  return marks;
}

std::size_t SweepPlan::files_in_trouble() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(files_, [](const auto& file) { return file.second.looks_in_trouble > 0; }));
}

std::optional<WallTime> SweepPlan::oldest_wait() const {
  std::optional<WallTime> oldest;
  for (const auto& [key, file] : files_)
    if (!oldest || file.waits_since < *oldest) oldest = file.waits_since;
  return oldest;
}

void SweepPlan::set_due(Files::iterator file, Instant due) {
  if (file->second.is_left) return;
  by_due_.erase({file->second.due, file->first});
  file->second.due = due;
  by_due_.emplace(due, file->first);
}

void SweepPlan::erase(Files::iterator file) {
  by_due_.erase({file->second.due, file->first});
  files_.erase(file);
}

}  // namespace tenure::daemon
