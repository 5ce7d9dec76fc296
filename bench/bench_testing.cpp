#include "measure.hpp"

#include <tenure/testing.hpp>

#include <cereal/cereal.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

// What a test of an application costs: figures 22 (a test with a tenant of its own) and 23 (one more tenant).
namespace {

using namespace tenure;
using namespace tenure::bench;

struct AddNote {
  static constexpr std::string_view kind = "notes.add_note";
  std::string text;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(text));
  }
};

class Bench {
 public:
  Bench(const Options& options, ScratchFolder& folder)
      : options_(options), folder_(folder.file("tests")), tests_(options.quick ? 20 : 1000) {
    std::filesystem::create_directory(folder_);
  }

  void run() {
    if (options_.wants("22")) tests();
    if (options_.wants("23")) tenants();
  }

 private:
  void measure(Figure figure, const Run& ours) {
    std::vector<Figure> figures{std::move(figure)};
    take_turns(options_, figures, ours, [] { return std::vector<Sample>{}; });
  }

  [[nodiscard]] testing::WorldOptions world_options() const {
    return {.application = "notes",
            .migrations = {{1, "0001_notes.sql", "create table note (id integer primary key, text text)"},
                           {2, "0002_index.sql", "create index note_text on note (text)"}},
            .folder = folder_};
  }

  // A world, a job that is enqueued, looked for, and performed in one step of `once`, and a look at what it has written.
  void one_test() const {
    testing::World world(world_options());
    world.jobs().add<AddNote>([](const AddNote& job, JobContext& context) {
      context.once("add", [&](JobTransaction& transaction) {
        transaction.execute("insert into note (text) values (?)", job.text);
      });
    });
    world.client().enqueue(AddNote{"milk"});
    const bool is_there = world.enqueued<AddNote>({.arguments = AddNote{"milk"}}).is_match;
    if (!is_there || world.drain_all().succeeded() != 1 || !world.finish().empty())
      throw std::runtime_error("a test of the benchmark has failed");
  }

  void tests() {
    measure({.number = "22",
             .what = std::to_string(tests_) + " tests with a tenant each",
             .unit = "s",
             .goal = {.ours_max = 10.0},
             .decimals = 2},
            [this] {
              const Stopwatch watch;
              for (std::size_t test = 0; test < tests_; ++test) one_test();
              return std::vector<Sample>{{watch.seconds()}};
            });
  }

  void tenants() {
    measure({.number = "23",
             .what = "a tenant that is a copy of a migrated template",
             .unit = "ms",
             .goal = {.ours_max = 2.0},
             .decimals = 2},
            [this] {
              testing::World world(world_options());
              const Stopwatch watch;
              for (std::size_t tenant = 0; tenant < tests_; ++tenant)
                world.make_tenant(TenantName{"tenant-" + std::to_string(tenant)});
              return std::vector<Sample>{{watch.seconds() * 1000 / static_cast<double>(tests_)}};
            });
  }

  const Options& options_;
  const std::filesystem::path folder_;
  const std::size_t tests_;
};

}  // namespace

int main(int argc, char** argv) {
  return bench_main(
      argc, argv,
      {.name = "bench_testing",
       .what = "what tests of applications cost with tenure::testing",
       .measure = [](const Options& options, ScratchFolder& folder) { Bench(options, folder).run(); }});
}
