#include <tenure/base/random.hpp>
#include <tenure/base/system.hpp>

#include <gtest/gtest.h>

#include <journal/check.hpp>
#include <journal/decoder.hpp>
#include <journal/encoder.hpp>
#include <journal/journal.hpp>
#include <journal/journal_file.hpp>
#include <journal/replay.hpp>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

// A journal that is not whole is refused, with the reason and the place.
namespace tenure::daemon::journal {
namespace {

DispatcherSettings settings() {
  return {.pools = {PoolSettings{"general", 2, {"default"}}}, .node = "test", .pid = 12, .seed = 9};
}

std::string written(const Head& head, const Journal::Pieces& records) {
  const Descriptor file(::memfd_create("journal", MFD_CLOEXEC));
  EXPECT_EQ(write_journal(file.number(), payload_of(head), records), 0);
  const off_t size = ::lseek(file.number(), 0, SEEK_CUR);
  EXPECT_EQ(::lseek(file.number(), 0, SEEK_SET), 0);
  return read_up_to(file.number(), static_cast<std::size_t>(size)).value();
}

std::string a_journal(Head head = head_of_this_program("1.2.3", "test", 12, Why::request)) {
  Dispatcher dispatcher(settings());
  Journal journal(1UL << 20U);
  for (int minute = 0; minute < 5; ++minute) {
    const Now now{from_us(1'700'000'000'000'000), Instant{std::chrono::minutes{minute}}};
    const Event event = minute == 0 ? Event{Started{}} : Event{TimePassed{}};
    journal.happened(dispatcher, event, now);
    journal.decided(dispatcher.step(event, now));
  }
  return written(head, journal.records());
}

std::string refusal_of(std::string bytes) {
  try {
    (void)replay(parse_journal(std::move(bytes)), "1.2.3");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_payload);
    return error.failure().message;
  }
  return "";
}

TEST(JournalFile, AWholeOneIsRead) {
  const JournalFile file = parse_journal(a_journal());
  EXPECT_EQ(file.head.program_version, "1.2.3");
  EXPECT_EQ(file.head.node, "test");
  EXPECT_EQ(file.head.pid, 12);
  const Replay replayed = replay(file, "1.2.3");
  EXPECT_FALSE(replayed.difference);
  EXPECT_EQ(replayed.events, 5U);
  EXPECT_EQ(replayed.snapshots, 5U);
}

TEST(JournalFile, ACutOneIsRefusedWithTheReasonAtWhateverByte) {
  const std::string whole = a_journal();
  ASSERT_EQ(refusal_of(whole), "");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string why = refusal_of(whole.substr(0, size));
    ASSERT_FALSE(why.empty()) << size;
    ASSERT_TRUE(size < kMagic.size() ? why.find("it is no journal") != std::string::npos
                                     : why.find("it is cut") != std::string::npos)
        << size << ": " << why;
  }
  EXPECT_NE(refusal_of(whole + "x").find("1 bytes follow its end"), std::string::npos);
}

TEST(JournalFile, AFlippedBitIsRefusedWithTheReasonWhereverItIs) {
  const std::string whole = a_journal();
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const unsigned bit : {0U, 3U, 7U}) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(static_cast<unsigned char>(flipped[at]) ^ (1U << bit));
      ASSERT_FALSE(refusal_of(flipped).empty()) << at << " bit " << bit;
    }
  std::string flipped = whole;
  flipped[whole.size() / 2] ^= 1;
  EXPECT_NE(refusal_of(flipped).find("does not agree with its check"), std::string::npos)
      << refusal_of(flipped);
}

TEST(JournalFile, ANewerFormatIsRefusedNamingBothVersions) {
  std::string newer = a_journal();
  newer[kMagic.size()] = static_cast<char>(kFormatVersion + 1);
  EXPECT_EQ(
      refusal_of(newer),
      "it is of format 2, and this program reads format 1: a newer one wrote it, replay it with that one");
}

TEST(JournalFile, AJournalOfAnotherReleaseIsReplayedOrRefusedNamingTheVersion) {
  // Laid out as here it is replayed, whichever version it says.
  EXPECT_EQ(refusal_of(a_journal(head_of_this_program("1.1.0", "test", 12, Why::request))), "");
  Head other = head_of_this_program("1.1.0", "test", 12, Why::request);
  ++other.layout;
  EXPECT_EQ(
      refusal_of(a_journal(other)),
      "tenured 1.1.0 wrote it, and this is 1.2.3, whose dispatcher remembers other things: replay it with "
      "the program that wrote it");
}

TEST(JournalFile, ItsChecksAreThoseOfEveryCrc32) {
  Check check;
  check.add("123456789");
  EXPECT_EQ(check.value(), 0xCBF4'3926U);
  Check in_parts;
  in_parts.add("1");
  in_parts.add("23456789");
  EXPECT_EQ(in_parts.value(), check.value());
}

// Whoever makes the checks agree gets no further than to a reason.
TEST(JournalFile, WhateverTheBytesOfAnEventAreTheyAreReadOrRefused) {
  Encoder encoder;
  encoder.put(Event{WorkerReady{.process = ProcessNumber{3}, .slots = 4, .kinds = {"a", "b"}, .pid = 7}});
  const std::string bytes(encoder.bytes());
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    Random random(seed);
    std::string damaged = bytes.substr(0, 1 + random.below(bytes.size()));
    for (std::uint64_t changes = random.below(4); changes > 0; --changes)
      damaged[random.below(damaged.size())] = static_cast<char>(random.next());
    try {
      Decoder decoder(damaged);
      (void)text_of(decoder.get<Event>());
    } catch (const Unreadable&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace tenure::daemon::journal
