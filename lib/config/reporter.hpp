// Layer config, private. Collects the problems of all files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.hpp"
#include "json/value.hpp"

namespace vigil::config {

/// Number of a file in the order of reading.
using SourceId = std::size_t;

class Reporter {
  public:
    /// `text` is kept for source lines; it may be empty.
    SourceId add_source(std::string file, std::string text);
    [[nodiscard]] const std::string& file(SourceId source) const { return sources_[source].file; }
    [[nodiscard]] std::size_t sources() const noexcept { return sources_.size(); }

    void report(SourceId source, const json::Place& place, std::string message);
    /// How many problems there are so far.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

    /// All of them, by source and place.
    [[nodiscard]] std::vector<Problem> take();

  private:
    struct Source {
        std::string file;
        std::string text;
    };
    struct Entry {
        SourceId source;
        json::Place place;
        std::string message;
    };

    std::vector<Source> sources_;
    std::vector<Entry> entries_;
    std::size_t count_ = 0;
};

}  // namespace vigil::config
