#include "counted_memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <malloc.h>
#include <new>

namespace {

std::size_t held = 0;
std::size_t held_at_start = 0;
std::size_t highest = 0;

void* counted(void* memory) {
  held += ::malloc_usable_size(memory);
  highest = std::max(highest, held);
  return memory;
}

void discount(void* memory) {
  held -= ::malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

// The other forms of the standard library call these; those for larger alignment stay its own, and are not counted.
void* operator new(std::size_t size) {
  void* const memory = std::malloc(std::max<std::size_t>(size, 1));
  if (memory == nullptr) throw std::bad_alloc{};
  return counted(memory);
}
void operator delete(void* memory) noexcept { discount(memory); }
void operator delete(void* memory, std::size_t) noexcept { discount(memory); }

namespace tenure::fuzz {

void start_counting() { highest = held_at_start = held; }
std::size_t highest_count() { return highest - held_at_start; }

}  // namespace tenure::fuzz
