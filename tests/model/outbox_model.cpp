#include "outbox_model.hpp"

#include "outbox_steps.hpp"

#include <algorithm>
#include <stdexcept>

namespace tenure::testing {
namespace {

constexpr std::size_t kStatesMax = 30'000'000;
constexpr std::uint32_t kFree = ~std::uint32_t{0};

// The states that were met, in their order, and how each was met first. Found by their values, none by a digest of it.
class MetStates {
 public:
  MetStates() : places_(1U << 16U, kFree) {}

  void add(const ModelState& state, std::uint32_t before, const char* step, std::uint8_t who) {
    if (states_.size() * 2 > places_.size()) grow();
    std::uint32_t& place = place_of(state);
    if (place != kFree) return;
    if (states_.size() == kStatesMax) throw std::runtime_error("the model has more states than it may have");
    place = static_cast<std::uint32_t>(states_.size());
    states_.push_back(state);
    ways_.push_back({before, who, step});
  }
  [[nodiscard]] std::size_t size() const { return states_.size(); }
  [[nodiscard]] const ModelState& operator[](std::size_t number) const { return states_[number]; }
  [[nodiscard]] std::vector<std::string> steps_to(std::size_t number) const {
    std::vector<std::string> steps;
    for (auto at = static_cast<std::uint32_t>(number); at != 0; at = ways_[at].before)
      steps.push_back(ways_[at].who == kNobody
                          ? std::string{ways_[at].step}
                          : "enqueuer " + std::to_string(ways_[at].who) + ' ' + ways_[at].step);
    std::ranges::reverse(steps);
    return steps;
  }

 private:
  struct Way {
    std::uint32_t before;
    std::uint8_t who;
    const char* step;
  };
  std::uint32_t& place_of(const ModelState& state) {
    std::size_t at = hash_of(state) & (places_.size() - 1);
    while (places_[at] != kFree && states_[places_[at]] != state) at = (at + 1) & (places_.size() - 1);
    return places_[at];
  }
  void grow() {
    places_.assign(places_.size() * 4, kFree);
    for (std::uint32_t number = 0; number < states_.size(); ++number) place_of(states_[number]) = number;
  }

  std::vector<ModelState> states_;
  std::vector<Way> ways_;
  std::vector<std::uint32_t> places_;
};

}  // namespace

std::string_view name_of(OutboxBreach breach) {
  switch (breach) {
    case OutboxBreach::lost:
      return "lost";
    case OutboxBreach::twice:
      return "twice";
    case OutboxBreach::without_transaction:
      return "without_transaction";
    case OutboxBreach::watermark_above_file:
      return "watermark_above_file";
    case OutboxBreach::effect_twice:
      return "effect_twice";
    case OutboxBreach::finished_without_effect:
      return "finished_without_effect";
  }
  return "unknown";
}

std::optional<OutboxBreach> OutboxSteps::breach_of(const ModelState& state) const {
  const ControlFile& control = controls_.visible(state.control);
  const TenantFile& file = files_.visible(state.file);
  for (std::uint8_t job = 0; job < kModelJobs; ++job) {
    const JobPlace place = control.jobs.at(job);
    if (place == JobPlace::twice) return OutboxBreach::twice;
    if (place != JobPlace::absent && file.count_of(job) == 0) return OutboxBreach::without_transaction;
    if (file.count_of(job) > 1) return OutboxBreach::effect_twice;
  }
  if (control.watermark > file.newest) return OutboxBreach::watermark_above_file;
  if (control.parent == Parent::succeeded && file.count_of(kJobOfStep) == 0)
    return OutboxBreach::finished_without_effect;
  const bool is_anybody_busy = control.has_marks() || control.parent == Parent::ready ||
                               control.parent == Parent::claimed || state.sweep.step != SweepStep::none ||
                               state.run.step != RunStep::none || state.enqueuers[0].is_alive() ||
                               state.enqueuers[1].is_alive();
  if (is_anybody_busy) return std::nullopt;
  for (std::uint8_t job = 0; job < kModelJobs; ++job)
    if ((state.acknowledged >> job & 1U) != 0 && control.jobs.at(job) == JobPlace::absent)
      return OutboxBreach::lost;
  return std::nullopt;
}

ExploredOutbox explore_outbox(const OutboxScope& scope, const OutboxRules& rules) {
  OutboxSteps steps{scope, rules};
  MetStates met;
  met.add(steps.first(), 0, "", kNobody);
  std::vector<NextState> next;
  for (std::size_t number = 0; number < met.size(); ++number) {
    const ModelState state = met[number];
    if (const auto breach = steps.breach_of(state)) return {met.size(), breach, met.steps_to(number)};
    steps.find_next(state, next);
    for (const NextState& each : next)
      met.add(each.state, static_cast<std::uint32_t>(number), each.step, each.who);
  }
  return {met.size(), std::nullopt, {}};
}

}  // namespace tenure::testing
