#include "heap_pages.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tenure::daemon {
namespace {

constexpr int kHeapAhead = 128 << 20;  // of addresses; memory is taken when it is touched
constexpr int kInHeapMax = 32 << 20;   // larger pieces are mapped by themselves, as glibc does at most
constexpr std::uintptr_t kHugePage = 2U << 20U;

std::uintptr_t end_of_heap() { return reinterpret_cast<std::uintptr_t>(::sbrk(0)); }

// By pieces that are just not mapped by themselves: what the heap has left at a start is less than all of them.
void grow_heap() {
  std::array<void*, 8> pieces{};
  for (void*& piece : pieces) piece = std::malloc(120UL * 1024);
  for (void* const piece : pieces) std::free(piece);
}

}  // namespace

// One heap for all threads: that of a thread of its own grows by a page at a time. Whoever sets one of these has to set them all, since
// glibc adapts none of them any more.
void prefer_huge_pages() {
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TOP_PAD, kHeapAhead);
  ::mallopt(M_TRIM_THRESHOLD, kHeapAhead);
  const std::uintptr_t first = (end_of_heap() + kHugePage - 1) / kHugePage * kHugePage;
  grow_heap();
  ::mallopt(M_MMAP_THRESHOLD, kInHeapMax);
  const std::uintptr_t last = end_of_heap() / kHugePage * kHugePage;
  if (last > first)
    ::madvise(reinterpret_cast<void*>(first), last - first,
              MADV_HUGEPAGE);  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace tenure::daemon
