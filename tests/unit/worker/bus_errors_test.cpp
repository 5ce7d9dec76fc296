#include "support/in_child.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/exit_code.hpp>
#include <tenure/base/system.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <worker/bus_errors.hpp>

namespace tenure::daemon {
namespace {

// What a process leaves with that maps a page of a file and loses it before it reads there.
int end_of_process_that_loses_a_page_of(const std::filesystem::path& file) {
  return testing::in_child([&] {
    leave_on_bus_errors_of_databases();
    constexpr std::size_t kPage = 4096;
    const Descriptor descriptor{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (::ftruncate(descriptor.number(), kPage) != 0) return 1;
    void* const memory = ::mmap(nullptr, kPage, PROT_READ, MAP_SHARED, descriptor.number(), 0);
    if (::ftruncate(descriptor.number(), 0) != 0) return 2;
    return static_cast<int>(*static_cast<volatile const char*>(memory)) + 3;
  });
}

TEST(BusErrors, OfADatabasesIndexAreNobodysCrash) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(end_of_process_that_loses_a_page_of(folder / "acme.db-shm"), number_of(ExitCode::sync_failed));
}

TEST(BusErrors, InOtherMemoryEndTheProcessAsEver) {
  const testing::TemporaryFolder folder;
  for (const char* name : {"acme.db", "acme.db-shm.old", "-sh"})
    EXPECT_EQ(end_of_process_that_loses_a_page_of(folder / name), 255) << name;
}

}  // namespace
}  // namespace tenure::daemon
