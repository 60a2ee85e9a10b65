#include "config/reporter.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace vigil::config {
namespace {

/// More than anybody reads; a file that is wrong 20,000 times costs no more than this.
constexpr std::size_t kMaxListed = 1000;

}  // namespace

SourceId Reporter::add_source(std::string file, std::string text) {
    sources_.push_back({std::move(file), std::move(text)});
    return sources_.size() - 1;
}

void Reporter::report(SourceId source, const json::Place& place, std::string message) {
    ++count_;
    if (entries_.size() < kMaxListed) entries_.push_back({source, place, std::move(message)});
}

std::vector<Problem> Reporter::take() {
    std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
        return std::tie(a.source, a.place.offset) < std::tie(b.source, b.place.offset);
    });
    std::vector<Problem> problems;
    problems.reserve(entries_.size() + 1);
    const Entry* last = nullptr;
    for (Entry& entry : entries_) {
        // One mistake, one message: a number that does not fit is not also of the wrong type.
        const bool again = last != nullptr && entry.place.known() && last->source == entry.source &&
                           last->place == entry.place;
        if (again) continue;
        last = &entry;
        const Source& source = sources_[entry.source];
        std::string line;
        if (entry.place.known()) line = line_at(source.text, entry.place.offset);
        problems.push_back({source.file, entry.place, std::move(entry.message), std::move(line)});
    }
    if (count_ > entries_.size())
        problems.push_back({sources_.front().file,
                            {},
                            std::to_string(count_ - entries_.size()) + " more problems are not listed",
                            {}});
    return problems;
}

}  // namespace vigil::config
