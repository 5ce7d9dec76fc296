#include "commands.hpp"
#include "nouns.hpp"
#include "program.hpp"

#include <map>

// Whoever asks about one tenant learns nothing of another one's jobs by their ids.
namespace tenure::cli {
namespace {

class ForeignIds : public Program {
 protected:
  ForeignIds() {
    add_tenant("acme");
    add_tenant("corvid");
    add_job(1, "corvid", "billing.close");
    add_job(2, "corvid", "billing.close");
    die(2);
    add_job(3, "corvid", "billing.close", "{}", std::chrono::hours(1));
    add_job(4, "corvid", "billing.close");
    hold(4);
    add_job(8, "acme", "billing.close");
    succeed(8);
  }

  // All that is answered, with the id taken out.
  std::string answer_of(std::vector<std::string> words, int seed) {
    for (std::string& word : words)
      if (const auto at = word.find("ID"); at != std::string::npos) word.replace(at, 2, job_id(seed).text());
    const int code = run(words);
    std::string text = std::to_string(code) + '\n' + output.out + '\n' + output.error;
    for (auto at = text.find(job_id(seed).text()); at != std::string::npos;
         at = text.find(job_id(seed).text()))
      text.replace(at, 36, "ID");
    return text;
  }
};

// From the table of verbs, so that none can be forgotten.
TEST_F(ForeignIds, SEC_13_AnIdOfAnotherTenantIsAnUnknownOneToWhoeverNamesATenant) {
  const std::map<std::string_view, std::vector<std::string>> needed{{"change", {"--priority", "5"}}};
  constexpr int kUnknown = 9;
  int tried = 0;
  for (const Verb& verb : verbs()) {
    if (verb.noun != "job" || verb.list_words == nullptr || verb.run == job_tail) continue;
    std::vector<std::string> words{"job", std::string(verb.name), "tenant=acme", "id=ID"};
    if (const auto found = needed.find(verb.name); found != needed.end())
      words.insert(words.end(), found->second.begin(), found->second.end());
    for (const std::string_view option : {"", "--json", "--yes", "--dry-run", "--fail-if-any"}) {
      std::vector<std::string> all = words;
      if (!option.empty() && option != "--json" && !takes(verb, option.substr(2))) continue;
      if (!option.empty()) all.emplace_back(option);
      const std::string unknown = answer_of(all, kUnknown);
      for (int seed = 1; seed <= 4; ++seed)
        EXPECT_EQ(answer_of(all, seed), unknown) << verb.name << ' ' << option << ' ' << seed;
      ++tried;
    }
  }
  EXPECT_GE(tried, 25);
  EXPECT_EQ(job(1).state, queue::ShownState::ready);
  EXPECT_EQ(job(2).state, queue::ShownState::dead);
  EXPECT_EQ(job(3).state, queue::ShownState::scheduled);
  EXPECT_EQ(job(4).cancel_asked, std::nullopt);
}

}  // namespace
}  // namespace tenure::cli
