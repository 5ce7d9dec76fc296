#include "limit_verbs.hpp"

#include "limit_rules.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::queue {
namespace {

tl::unexpected<Failure> too_many_limits() {
  return fail(ErrorCode::limit_reached,
              fmt::format("there are {} limits already, and there are no more", kLimitsMax));
}

tl::unexpected<Failure> unknown_limit(std::string_view name) {
  return fail(ErrorCode::record_not_found, fmt::format("there is no limit {}", escaped(name)));
}

// An operator's word of a limit that has no rate any more; of what he has set nothing may be left.
void drop_rate(LimitRecord& limit) {
  if (!limit.set) return;
  limit.set->bounds.rate.reset();
  if (!limit.set->bounds.running) limit.set.reset();
}

}  // namespace

// What is gone first, so that there is room for what is new.
void LimitVerbs::declare(std::span<const DeclaredLimit> limits) {
  for (LimitRecord limit : rows_.limits()) {
    if (!limit.declared || std::ranges::find(limits, limit.name, &DeclaredLimit::name) != limits.end())
      continue;
    const LimitBounds before = limit.bounds();
    limit.declared.reset();
    if (!limit.set) {
      rows_.erase(limit.number);
      continue;
    }
    // What the operator has set of it stays in force, and so does what he has left as it was.
    limit.set->bounds = before;
    rows_.update(limit);  // its bounds are the same
  }
  std::vector<LimitRecord> known = rows_.limits();
  for (const DeclaredLimit& declared : limits) {
    if (!check_limit(declared)) continue;
    const auto found = std::ranges::find(known, declared.name, &LimitRecord::name);
    if (found == known.end()) {
      if (known.size() >= kLimitsMax) continue;
      rows_.insert(
          {.number = {}, .name = declared.name, .target = declared.target, .declared = declared.bounds});
      known.push_back({.number = {}, .name = declared.name});
      continue;
    }
    LimitRecord changed = *found;
    changed.target = declared.target;
    changed.declared = declared.bounds;
    if (declared.target.per.key) drop_rate(changed);
    if (changed != *found) update(*found, changed);
  }
}

Result<bool> LimitVerbs::set(const NewLimit& limit, WallTime now) {
  SetLimit set{
      .bounds = limit.bounds, .when = now, .uid = limit.uid, .login = limit.login, .reason = limit.reason};
  auto found = named(limit.name);
  if (!found) return set_new(limit, std::move(set));
  if (limit.target && *limit.target != found->target)
    return fail(ErrorCode::bad_options,
                fmt::format("there is a limit {}, which takes other jobs: unset it first, or give this one "
                            "another name",
                            limit.name));
  if (auto fits = check_limit({.name = limit.name, .target = found->target, .bounds = limit.bounds}); !fits)
    return tl::unexpected(std::move(fits.error()));
  const LimitRecord before = *found;
  if (found->set) {
    if (!set.bounds.running) set.bounds.running = found->set->bounds.running;
    if (!set.bounds.rate) set.bounds.rate = found->set->bounds.rate;
  }
  if (auto fits = check_limit({.name = limit.name, .target = found->target, .bounds = set.bounds}); !fits)
    return tl::unexpected(std::move(fits.error()));
  found->set = std::move(set);
  update(before, *found);
  return false;
}

Result<bool> LimitVerbs::set_new(const NewLimit& limit, SetLimit set) {
  if (auto name = check_limit_name(limit.name); !name) return tl::unexpected(std::move(name.error()));
  if (!limit.target)
    return fail(
        ErrorCode::bad_options,
        fmt::format("there is no limit {}: a new one says which jobs it takes, with --kind, --queue or "
                    "--per",
                    limit.name));
  if (auto fits = check_limit({.name = limit.name, .target = *limit.target, .bounds = limit.bounds}); !fits)
    return tl::unexpected(std::move(fits.error()));
  if (rows_.limits().size() >= kLimitsMax) return too_many_limits();
  rows_.insert(
      {.number = {}, .name = limit.name, .target = *limit.target, .declared = {}, .set = std::move(set)});
  return true;
}

Result<void> LimitVerbs::unset(std::string_view name) {
  auto found = named(name);
  if (!found) return unknown_limit(name);
  if (!found->set)
    return fail(ErrorCode::state_changed,
                fmt::format("limit {} is as the configuration says: nobody has set it", name));
  const LimitRecord before = *found;
  found->set.reset();
  if (found->declared) update(before, *found);
  else rows_.erase(found->number);
  return {};
}

std::optional<OpenLimits> LimitVerbs::open(LimitsMark known) {
  const LimitsMark mark = rows_.mark();
  if (mark == known) return std::nullopt;
  OpenLimits open{mark, {}};
  for (const LimitRecord& limit : rows_.limits())
    open.limits.push_back({limit.number, limit.name, limit.target, limit.bounds()});
  std::ranges::sort(open.limits, {}, &OpenLimit::number);
  return open;
}

// A rate that is new, or counts others, counts from then on: what another one had counted before it is none of its starts.
void LimitVerbs::update(const LimitRecord& before, const LimitRecord& after) {
  rows_.update(after);
  const bool is_another = before.target != after.target;
  if (is_another || before.bounds().rate.has_value() != after.bounds().rate.has_value())
    rows_.forget_starts(after.number);
}

std::optional<LimitRecord> LimitVerbs::named(std::string_view name) {
  for (LimitRecord& limit : rows_.limits())
    if (limit.name == name) return std::move(limit);
  return std::nullopt;
}

}  // namespace tenure::queue
