#include "jobs.hpp"

#include <tenure/testing.hpp>

#include <cstdio>
#include <exception>
#include <string>

// A test without a framework, as for one that Tenure has no fixture for.
int main() try {
  tenure::testing::World world;
  world.jobs().add<AddNote>([](const AddNote&, tenure::JobContext&) {});
  world.client().enqueue(AddNote{.text = "milk"});
  const tenure::testing::Matched matched = world.enqueued<AddNote>();
  if (!matched) std::fputs(matched.message.c_str(), stderr);
  const std::size_t performed = world.drain().succeeded();
  const auto problems = world.finish();
  for (const std::string& problem : problems) std::fprintf(stderr, "%s\n", problem.c_str());
  return matched && performed == 1 && problems.empty() ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
