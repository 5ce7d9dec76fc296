#include "bookkeeping.hpp"

#include <gmock/gmock.h>

#include <array>
#include <string_view>

namespace tenure {
namespace {

using ::testing::ElementsAre;
using namespace testing;  // NOLINT

// As the former program has it, and as this one does.
struct MailStatement {
  static constexpr std::string_view kind = "books.mail_statement";
  int year = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(year));
  }
};
struct SendStatement {
  static constexpr std::string_view kind = "books.send_statement";
  static constexpr std::array<std::string_view, 1> aliases{"books.mail_statement"};
  int year = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(year));
  }
};

class RenamedKind : public Bookkeeping {};

TEST_F(RenamedKind, SER_13_JobsOfBothItsNamesArePerformed) {
  std::vector<std::pair<std::string, int>> performed;
  jobs_.add<SendStatement>([&](const SendStatement& job, JobContext& context) {
    performed.emplace_back(context.kind(), job.year);
  });
  client_.enqueue(MailStatement{1998}, {.tenant = "acme"});
  EXPECT_EQ(perform(claim()), std::nullopt);
  client_.enqueue(SendStatement{2026}, {.tenant = "acme"});
  EXPECT_EQ(perform(claim()), std::nullopt);
  EXPECT_THAT(performed, ElementsAre(std::pair{std::string("books.mail_statement"), 1998},
                                     std::pair{std::string("books.send_statement"), 2026}));
  std::vector<std::string> names;
  for (const JobRegistry::Kind& kind : jobs_.kinds()) names.push_back(kind.name);
  EXPECT_THAT(names, ElementsAre("books.mail_statement", "books.send_statement"));
}

}  // namespace
}  // namespace tenure
