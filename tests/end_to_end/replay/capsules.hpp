#pragma once

#include "jobs.hpp"

#include <tenure/jobs/client.hpp>
#include <tenure/jobs/perform.hpp>
#include <tenure/replay/capsule.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <support/process.hpp>
#include <support/temporary_folder.hpp>
#include <vector>

namespace tenure::testing {

// An installation in use, with the tenants acme and bolt, in a folder that goes with the test; and the capsule of a run of Pay in acme,
// which failed there.
class Replays : public ::testing::Test {
 protected:
  Replays();

  // The capsule under this name, in a folder of its own.
  [[nodiscard]] std::filesystem::path capsule_as(const std::string& name);
  // Runs the command line to its end, "exit 0"; what it printed is in output_. Each variable is "NAME=value".
  std::string tenure(const std::vector<std::string>& words, const std::vector<std::string>& variables = {});
  // `replay run` of the capsule by the worker program, which does what PAY_DOES names.
  std::string replay(const std::string& does = "", const std::vector<std::string>& more = {});
  // What was asked of services outside, a line each, since the last call.
  [[nodiscard]] std::string asked_outside();
  // Each file of the installation with its content.
  [[nodiscard]] std::map<std::string, std::string> live_files() const;
  [[nodiscard]] bool is_scratch_empty() const { return std::filesystem::is_empty(scratch_); }
  [[nodiscard]] std::vector<std::string> variables_for(const std::string& does) const;

  TemporaryFolder folder_;
  std::filesystem::path live_, scratch_, capsule_;
  std::string output_;

 private:
  void install();
  void capture();
};

[[nodiscard]] std::string content_of(const std::filesystem::path& file);

}  // namespace tenure::testing
