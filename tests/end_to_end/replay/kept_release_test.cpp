#include "capsules.hpp"
#include "database_text.hpp"

#include <tenure/base/system.hpp>
#include <tenure/daemon/dispatcher.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <journal/journal.hpp>
#include <journal/journal_file.hpp>
#include <sys/mman.h>
#include <unistd.h>

// What the first release has written, kept in this folder as text: later ones read it, or name who wrote it. With TENURE_TEST_ACCEPT=1 it is written
// anew, which is for a release that nobody has had.
namespace tenure::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
namespace journal = daemon::journal;

std::string hex_lines(const std::string& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xfU];
    if (at % 64 == 63) text += '\n';
  }
  return text + '\n';
}

std::string bytes_of_hex(const std::string& text) {
  std::string digits;
  for (const char c : text)
    if (c != '\n') digits += c;
  std::string bytes;
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(at, 2), nullptr, 16));
  return bytes;
}

std::string journal_of(const journal::Head& head) {
  daemon::Dispatcher dispatcher(
      {.pools = {daemon::PoolSettings{"general", 2, {"default"}}}, .node = "kept", .pid = 12, .seed = 9});
  journal::Journal kept(1UL << 20U);
  for (int minute = 0; minute < 4; ++minute) {
    const daemon::Now now{from_us(1'700'000'000'000'000), Instant{std::chrono::minutes{minute}}};
    const daemon::Event event =
        minute == 0 ? daemon::Event{daemon::Started{}} : daemon::Event{daemon::TimePassed{}};
    kept.happened(dispatcher, event, now);
    kept.decided(dispatcher.step(event, now));
  }
  const Descriptor file(::memfd_create("journal", MFD_CLOEXEC));
  EXPECT_EQ(journal::write_journal(file.number(), journal::payload_of(head), kept.records()), 0);
  EXPECT_EQ(::lseek(file.number(), 0, SEEK_SET), 0);
  return read_up_to(file.number(), 1UL << 20U).value();
}

journal::Head head_of(const std::string& version) {
  return journal::head_of_this_program(version, "kept", 12, journal::Why::request);
}

class KeptRelease : public Replays {
 protected:
  KeptRelease() {
    const char* accept = std::getenv("TENURE_TEST_ACCEPT");
    if (accept == nullptr || std::string_view(accept) != "1") return;
    std::ofstream(kept_ / "capsule-0.1.0.sql") << database_as_text(capsule_);
    std::ofstream(kept_ / "journal-0.1.0.hex") << hex_lines(journal_of(head_of("0.1.0")));
  }
  std::string replay_journal(const std::string& bytes) {
    const auto file = folder_ / "kept.journal";
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    return tenure({"replay", "journal", file.string()});
  }

  const std::filesystem::path kept_ = KEPT_RELEASES;
};

TEST_F(KeptRelease, RPL_09_WhatAFormerReleaseHasKeptIsReplayedOrRefusedNamingItsVersion) {
  capsule_ = folder_ / "kept.capsule";
  make_database_of_text(capsule_, content_of(kept_ / "capsule-0.1.0.sql"));
  ASSERT_EQ(replay(), "exit 0") << output_;
  EXPECT_THAT(output_,
              HasSubstr("the same: failed, HandlerFailed: std::runtime_error: no answer from the bank"));
  static_cast<void>(PlainDatabase(capsule_).ask("update tenure_capsule set version = 0"));
  EXPECT_EQ(replay(), "exit 78") << output_;
  EXPECT_THAT(output_, AllOf(HasSubstr("the capsule is of version 0, this program replays version 1"),
                             HasSubstr("use a program of the release that wrote it")));

  // Its format is read for ever; its dispatcher may remember other things than this one.
  const std::string kept = bytes_of_hex(content_of(kept_ / "journal-0.1.0.hex"));
  const journal::JournalFile file = journal::parse_journal(kept);
  EXPECT_EQ(file.head.program_version, "0.1.0");
  EXPECT_EQ(file.records.size(), 12U) << "four snapshots, events and actions each";
  const bool is_laid_out_alike = file.head.layout == head_of("0.1.0").layout;
  EXPECT_EQ(replay_journal(kept), is_laid_out_alike ? "exit 0" : "exit 65") << output_;
  EXPECT_THAT(output_, HasSubstr(is_laid_out_alike ? "equal: the same events gave the same actions"
                                                   : "tenured 0.1.0 wrote it, and this is "));

  EXPECT_EQ(replay_journal(journal_of(head_of("0.0.9"))), "exit 0") << "of another version, laid out alike";
  EXPECT_THAT(output_, AllOf(HasSubstr("journal of tenured 0.0.9"), HasSubstr("which may decide otherwise"),
                             HasSubstr("equal: ")));
  journal::Head older = head_of("0.0.8");
  ++older.layout;
  EXPECT_EQ(replay_journal(journal_of(older)), "exit 65");
  EXPECT_THAT(output_, HasSubstr("tenured 0.0.8 wrote it, and this is "));
}

}  // namespace
}  // namespace tenure::testing
