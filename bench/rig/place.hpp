// Where a measurement keeps its files.
#pragma once

#include <string>

namespace vigil::bench {

/// A new directory, in memory where there is one (as /run is); removed at the end, unless the program gives
/// up.
class Place {
  public:
    Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

}  // namespace vigil::bench
