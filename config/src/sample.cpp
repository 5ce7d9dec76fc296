#include "setting.hpp"

#include <tenure/config/setting_table.hpp>

#include <fmt/format.h>

namespace tenure::config {
namespace {

constexpr std::string_view kHead =
    R"(# Tenure's configuration. Every setting stands here with its default; delete what you do not change.
# A setting may also come from the environment (TENURE_STORE_PATH is path of [store]) or from an option, which win over
# this file. Durations: ms, s, m, h, d. Sizes: B, KiB, MiB, GiB. Paths are absolute; %{config_dir} at the front of one is the
# folder of this file. `tenure config explain KEY` says more, `tenure config check` reads it all without starting anything.
)";

void comment(std::string& out, std::string_view text) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out += fmt::format("# {}\n", text.substr(at, end - at));
    at = end + 1;
  }
}

template <class Owner>
void write(std::string& out, const Setting<Owner>& setting, std::string_view front, std::string_view value) {
  comment(out, setting.help);
  out += fmt::format("{}{} = {}  # {}\n", front, setting.key, value, limits_text(setting.rule));
}

void write_pool(std::string& out) {
  out += "\n# One [[pool]] for each set of worker processes; there is none by default.\n#[[pool]]\n";
  for (const auto& setting : pool_settings()) {
    const std::string_view example = setting.key == "name"      ? "\"general\""
                                     : setting.key == "program" ? "\"/usr/lib/billing/billing-worker\""
                                                                : "";
    write(out, setting, "#", setting.required ? std::string(example) : value_in(setting, PoolSettings{}));
  }
}

void write_schedule(std::string& out) {
  out += "\n# One [[schedule]] for each recurring job; there is none by default.\n#[[schedule]]\n";
  for (const auto& setting : schedule_settings()) {
    const std::string_view example = setting.key == "name"   ? "\"monthly-report\""
                                     : setting.key == "kind" ? "\"reports.monthly\""
                                     : setting.key == "cron" ? "\"0 3 1 * *\""
                                                             : "";
    write(out, setting, "#", example.empty() ? value_in(setting, ScheduleSettings{}) : std::string(example));
  }
}

void write_limit(std::string& out) {
  out += "\n# One [[limit]] for each bound on what runs or starts; there is none by default.\n#[[limit]]\n";
  for (const auto& setting : limit_settings()) {
    const std::string_view example = setting.key == "name"      ? "\"reports-per-tenant\""
                                     : setting.key == "kind"    ? "\"reports.*\""
                                     : setting.key == "per"     ? "\"tenant\""
                                     : setting.key == "running" ? "2"
                                                                : "";
    write(out, setting, "#", example.empty() ? value_in(setting, LimitSettings{}) : std::string(example));
  }
}

}  // namespace

std::string sample() {
  const Settings defaults;
  std::string out(kHead);
  std::string_view section;
  for (const auto& setting : plain_settings()) {
    if (setting.section != section) {
      if (setting.section == kSectionAfterPools) {
        write_pool(out);
        write_schedule(out);
        write_limit(out);
      }
      section = setting.section;
      out += fmt::format("\n[{}]\n", section);
    }
    write(out, setting, "", value_in(setting, defaults));
  }
  return out;
}

}  // namespace tenure::config
