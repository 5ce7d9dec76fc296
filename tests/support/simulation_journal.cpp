#include "simulation.hpp"

#include <tenure/base/system.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <iostream>
#include <journal/journal_file.hpp>
#include <journal/value_text.hpp>
#include <string>

// What a simulation leaves behind for whoever wants to see it again.
namespace tenure::simulation {

namespace journal = daemon::journal;

std::string Simulation::options_text() const {
  journal::ValueText settings;
  settings.add(options_.settings);
  return fmt::format(
      "seed={} slots={} time_limit={}us kinds={} default_queue={} round_time={}us start_time={}us "
      "frame_time={}us report_time={}us keeps_board={} settings={}",
      options_.seed, options_.slots, options_.time_limit.count(), fmt::join(options_.kinds, ","),
      options_.default_queue, options_.round_time.count(), options_.start_time.count(),
      options_.frame_time.count(), options_.report_time.count(), options_.keeps_board, settings.text());
}

std::string Simulation::write_journals(const std::filesystem::path& folder, const std::string& name) const {
  std::filesystem::create_directories(folder);
  std::string text = options_text() + "\n";
  const std::string head =
      payload_of(journal::head_of_this_program("simulated", options_.settings.node, 0, journal::Why::test));
  for (std::size_t life = 0; life < journals.size(); ++life) {
    const auto file = folder / fmt::format("{}-life-{}.journal", name, life + 1);
    const Descriptor opened(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    const int error = journal::write_journal(opened.number(), head, journals[life]->records());
    text += error == 0 ? fmt::format("tenure replay journal {}\n", file.string())
                       : fmt::format("{}: {}\n", file.string(), system_text(error));
  }
  return text;
}

void Simulation::tell_if_failed() const {
  static std::string told;
  const ::testing::TestInfo* const test = ::testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr || !::testing::Test::HasFailure()) return;
  const std::string name = fmt::format("{}.{}", test->test_suite_name(), test->name());
  if (told == name) return;
  told = name;
  std::string file = name;
  for (char& letter : file) letter = letter == '/' ? '-' : letter;
  std::cerr << name << " has failed. "
            << write_journals(std::filesystem::path(::testing::TempDir()) / "tenure-journals",
                              fmt::format("{}-seed-{}", file, options_.seed));
}

}  // namespace tenure::simulation
