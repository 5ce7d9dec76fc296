#pragma once

#include <utility>

namespace tenure::detail {

// Puts a value in place until destroyed.
template <class T>
class InPlace {
 public:
  InPlace(T& place, T value) : place_(place), former_(std::exchange(place, value)) {}
  ~InPlace() { place_ = former_; }
  InPlace(const InPlace&) = delete;
  InPlace& operator=(const InPlace&) = delete;

 private:
  T& place_;
  T former_;
};

}  // namespace tenure::detail
