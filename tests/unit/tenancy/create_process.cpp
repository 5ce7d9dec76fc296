// create_process FOLDER TENANT STEP: creates the tenant, and dies without a word before that step.
#include "create_world.hpp"
#include "shop.hpp"

#include <cstdlib>
#include <unistd.h>

int main(int argc, char** argv) {
  using namespace tenure;
  if (argc != 4) return 64;
  const std::filesystem::path folder = argv[1];
  const int last = static_cast<int>(std::strtol(argv[3], nullptr, 10));
  tenure::testing::RecordedRegistry registry{folder / "registry.txt"};
  HandleCache handles{tenure::testing::files_in(folder), {}};
  const VirtualClock clock;
  Tenants tenants{
      registry, handles, clock, {.application = "shop", .migrations = tenure::testing::shop_migrations()}};
  tenants.create(TenantName{argv[2]}, {.on_step = [&](CreateStep step) {
                   if (static_cast<int>(step) == last) ::_exit(137);
                 }});
  return 0;
}
