#include "man_page.hpp"
#include "shared_text.hpp"

#include <tenure/config/setting_table.hpp>

#include <fmt/format.h>

namespace tenure::cli::manual {
namespace {

void add_signals(ManPage& page) {
  page.section("SIGNALS")
      .entry("SIGTERM, SIGINT", "A stop in phases: running jobs end first, within daemon.stop_deadline.")
      .entry("SIGQUIT", "Running jobs are given back, and it leaves at once.")
      .entry("SIGHUP", "The configuration is read again, and log.file opened again.")
      .entry("SIGUSR1", "log.file is opened again, in the worker processes too.")
      .entry("SIGUSR2", "What it does is written into the log, with a line for each job that runs.");
}

File daemon_page(std::string_view date) {
  ManPage page("tenured", 8, date, "performs the jobs of one control database");
  page.section("SYNOPSIS").paragraph("`tenured` [`--config` FILE]");
  page.section("DESCRIPTION")
      .paragraph(
          "Dispatches the jobs of one control database to the worker programs of its pools, in the "
          "foreground, until it "
          "is told to stop. A second `tenured` on the same control database stands by and takes over when "
          "the first "
          "one ends. It holds no code of jobs: worker programs do, and it starts them.")
      .paragraph(
          "As a service it is `tenured.service`, which starts once there is a configuration: write one, then "
          "`systemctl enable --now tenured`.");
  page.section("OPTIONS")
      .entry("--config FILE", "The configuration; else TENURE_CONFIG, else /etc/tenure/tenure.toml.")
      .entry("--replay-journal FILE",
             "Decides again by a journal of a dispatcher and says whether the same comes out; "
             "`tenure-replay`(1) is the way to it. Nothing else is opened or started.")
      .entry("--version", "Print the version.")
      .entry("--help", "Print a short help.");
  add_signals(page);
  add_exit_codes(page);
  page.section("ENVIRONMENT")
      .entry("TENURE_CONFIG", "The configuration, where `--config` does not name it.")
      .entry("TENURE_SECTION_KEY", "A setting, which wins over the file; each is named in `tenure.toml`(5).");
  page.section("FILES")
      .entry("/etc/tenure/tenure.toml", "The configuration.")
      .entry("/var/lib/tenure", "The control database and those of the tenants, unless it says otherwise.");
  page.section("SEE ALSO").paragraph("`tenure`(1), `tenure.toml`(5)");
  return page.file();
}

std::string meaning(const config::SettingInfo& info) {
  std::string out = info.help;
  out += fmt::format(" Default: {}.",
                     info.default_value.empty() ? "none, it must be stated" : "`" + info.default_value + "`");
  out += fmt::format(" Limits: {}.", info.limits);
  if (!info.environment.empty()) out += fmt::format(" Environment: `{}`.", info.environment);
  return out + fmt::format(" A change is taken over {}.", config::text_of(info.taken_over));
}

void add_settings(ManPage& page) {
  page.section("SETTINGS");
  std::string_view section;
  const std::vector<config::SettingInfo> settings = config::all_settings();
  for (const config::SettingInfo& info : settings) {
    const std::size_t dot = info.key.find('.');
    const std::string_view front = std::string_view(info.key).substr(0, dot);
    if (front != section) page.subsection(front == "pool" ? "[[pool]]" : fmt::format("[{}]", front));
    section = front;
    page.entry(std::string_view(info.key).substr(dot + 1), meaning(info));
  }
}

File settings_page(std::string_view date) {
  ManPage page("tenure.toml", 5, date, "configuration of tenured, of tenure, and of programs that enqueue");
  page.section("DESCRIPTION")
      .paragraph(
          "A file in TOML. Options win over variables of the environment, these over the file, and the file "
          "over the "
          "defaults. Whatever is wrong is reported together, and then nothing of it is in force.")
      .paragraph(
          "Durations are a whole number and ms, s, m, h or d; sizes one and B, KiB, MiB or GiB. Paths are "
          "absolute; "
          "`%{config_dir}` at the front of one is the folder of the file. Each `[[pool]]` is one set of "
          "worker "
          "processes; there is none by default.");
  page.section("COMMANDS")
      .entry("tenure config sample", "Prints a file with every setting at its default.")
      .entry("tenure config check", "Reads it all, and looks whether the machine fits it.")
      .entry("tenure config explain KEY", "Says what this page says of one setting, and its value now.");
  add_settings(page);
  page.section("FILES").entry("/etc/tenure/tenure.toml",
                              "Where it is looked for, unless `--config` or TENURE_CONFIG names another.");
  page.section("SEE ALSO").paragraph("`tenure-config`(1), `tenured`(8)");
  return page.file();
}

}  // namespace

std::vector<File> daemon_pages(std::string_view date) { return {daemon_page(date), settings_page(date)}; }

}  // namespace tenure::cli::manual
