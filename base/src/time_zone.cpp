#include <tenure/base/text.hpp>
#include <tenure/base/time_zone.hpp>

#include <fmt/format.h>

#include <date/tz.h>
#include <stdexcept>
#include <utility>

namespace tenure {
namespace {

constexpr std::size_t kZoneNameShown = 80;  // bytes of a name that is none

const date::time_zone* zone_named(std::string_view name) {
  try {  // a border: the library says by exceptions what is no zone, and that it has no data
    return date::locate_zone(name);
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

}  // namespace

TimeZone::TimeZone(std::shared_ptr<const std::string> name, const void* data)
    : name_(std::move(name)), data_(data) {}

Result<TimeZone> TimeZone::find(std::string_view name) {
  const date::time_zone* const zone = zone_named(name);
  if (zone == nullptr)
    return fail(ErrorCode::bad_options,
                fmt::format("there is no time zone {} in the time zone data of this machine",
                            escaped(name, kZoneNameShown)));
  return TimeZone{std::make_shared<const std::string>(name), zone};
}

ZoneSpan TimeZone::span_at(std::chrono::sys_seconds time) const {
  const date::sys_info info = static_cast<const date::time_zone*>(data_)->get_info(time);
  return {info.begin, info.end, info.offset, info.abbrev};
}

}  // namespace tenure
