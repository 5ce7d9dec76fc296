#include "until_option.hpp"

#include <tenure/base/text.hpp>
#include <tenure/config/units.hpp>
#include <tenure/queue/filter.hpp>

#include <fmt/format.h>

namespace tenure::cli {

std::optional<WallTime> until_option(const Session& session, std::chrono::hours longest,
                                     std::string_view bound) {
  if (!session.has("until")) return std::nullopt;
  const std::string_view text = session.option("until");
  if (const auto length = config::parse_duration(text)) {
    // Looked at before it is added, which the longest ones would not survive.
    if (*length > longest)
      raise(ErrorCode::bad_options, fmt::format("--until {}: {}", escaped(text, 64), bound));
    return session.now() + *length;
  }
  const auto time = queue::parse_time(text, session.now());
  if (!time)
    raise(ErrorCode::bad_options,
          fmt::format("--until '{}' is no length of time as 2h and no time as 2026-03-02T10:14:00Z",
                      escaped(text, 64)));
  return *time;
}

}  // namespace tenure::cli
