#include <gtest/gtest.h>

#include <loop/settings_for_program.hpp>

namespace tenure::daemon {
namespace {

TEST(ProgramArguments, TakesTheConfigurationInBothSpellings) {
  EXPECT_EQ(parse_program_arguments({"--config", "a.toml"}).config_file, "a.toml");
  EXPECT_EQ(parse_program_arguments({"--config=a.toml"}).config_file, "a.toml");
}

TEST(ProgramArguments, NamesWhatItDoesNotKnow) {
  EXPECT_EQ(parse_program_arguments({"--confg", "a"}).problem, "unknown argument --confg");
  EXPECT_EQ(parse_program_arguments({"--config"}).problem, "--config wants a file");
  EXPECT_EQ(parse_program_arguments({"--config="}).problem, "--config wants a file");
  EXPECT_EQ(parse_program_arguments({"--config", ""}).problem, "--config wants a file");
  EXPECT_EQ(parse_program_arguments({"\x1b[2J"}).problem, "unknown argument \\x1b[2J");
  EXPECT_EQ(parse_program_arguments({"stray"}).problem, "unknown argument stray");
}

}  // namespace
}  // namespace tenure::daemon
