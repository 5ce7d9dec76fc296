#include "label_bound.hpp"

namespace tenure::daemon {

std::size_t LabelBound::place_of(std::int64_t number) {
  const auto known = places_.find(number);
  if (known != places_.end()) return known->second;
  if (places_.size() == kMax) {
    ++folded_;
    return kOther;
  }
  names_.emplace_back();
  return places_.emplace(number, names_.size() - 1).first->second;
}

std::size_t LabelBound::known_place_of(std::int64_t number) const {
  const auto known = places_.find(number);
  return known == places_.end() ? kOther : known->second;
}

void LabelBound::name(std::int64_t number, std::string_view name) {
  if (places_.size() < kMax || places_.contains(number)) names_[place_of(number)] = name;
}

std::optional<std::string> LabelBound::label(std::size_t place) const {
  if (place == kOther) return std::string{kOtherLabel};
  if (names_[place].empty()) return std::nullopt;
  return names_[place];
}

std::string LabelNames::label(const std::string& name) {
  if (names_.contains(name)) return name;
  if (names_.size() == LabelBound::kMax) return std::string{kOtherLabel};
  names_.emplace(name, true);
  return name;
}

}  // namespace tenure::daemon
