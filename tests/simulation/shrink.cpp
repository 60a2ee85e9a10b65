#include "simulation/shrink.hpp"

#include <algorithm>
#include <utility>

namespace vigil::core::simulation {
namespace {

class Shrinker {
  public:
    Shrinker(Choices choices, const std::function<bool(const Choices&)>& fails, std::size_t most_tries)
        : best_(std::move(choices)), fails_(fails), left_(most_tries), most_(most_tries) {}

    Shrunk run() {
        (void)attempt(without(best_.told, best_.steps.size()));
        for (bool again = true; again && left_ > 0;) {
            again = drop_steps();
            again = simplify_numbers() || again;
        }
        return {std::move(best_), most_ - left_};
    }

  private:
    bool attempt(Choices candidate) {
        if (left_ == 0 || candidate == best_) return false;
        --left_;
        if (!fails_(candidate)) return false;
        best_ = std::move(candidate);
        return true;
    }

    [[nodiscard]] Choices without(std::size_t from, std::size_t to) const {
        Choices candidate = best_;
        const auto first = candidate.steps.begin() + static_cast<std::ptrdiff_t>(from);
        candidate.steps.erase(first, first + static_cast<std::ptrdiff_t>(to - from));
        if (from < candidate.told) candidate.told -= std::min(to, candidate.told) - from;
        return candidate;
    }

    /// Halves, quarters and so on down to single steps, from the end: what is last matters least to what
    /// comes before. The first entry is what the life begins with, and stays.
    bool drop_steps() {
        bool any = false;
        for (std::size_t size = std::max<std::size_t>(best_.steps.size() / 2, 1); size > 0; size /= 2)
            for (std::size_t end = best_.steps.size(); end > 1 && left_ > 0;) {
                const std::size_t begin = std::max<std::size_t>(end > size ? end - size : 0, 1);
                any = attempt(without(begin, end)) || any;
                end = std::min(begin, best_.steps.size());
            }
        return any;
    }

    bool simplify_numbers() {
        bool any = false;
        for (std::size_t step = 0; step < best_.steps.size() && left_ > 0; ++step) {
            Choices plain = best_;
            plain.steps[step].clear();
            if (attempt(std::move(plain))) {
                any = true;
                continue;
            }
            for (std::size_t at = 0; at < best_.steps[step].size() && left_ > 0; ++at)
                any = lower(step, at) || any;
            auto& numbers = best_.steps[step];
            while (!numbers.empty() && numbers.back() == 0) numbers.pop_back();
        }
        return any;
    }

    /// 0 if that will do, else by halves and at last by ones.
    bool lower(std::size_t step, std::size_t at) {
        bool any = false;
        const auto with = [&](std::uint32_t number) {
            Choices candidate = best_;
            candidate.steps[step][at] = number;
            return candidate;
        };
        if (best_.steps[step][at] == 0) return false;
        if (attempt(with(0))) return true;
        for (std::uint32_t cut = best_.steps[step][at] / 2; cut > 0; cut /= 2)
            while (best_.steps[step][at] > cut && attempt(with(best_.steps[step][at] - cut))) any = true;
        return any;
    }

    Choices best_;
    const std::function<bool(const Choices&)>& fails_;
    std::size_t left_;
    std::size_t most_;
};

}  // namespace

Shrunk shrink(Choices choices, const std::function<bool(const Choices&)>& fails, std::size_t most_tries) {
    return Shrinker(std::move(choices), fails, most_tries).run();
}

}  // namespace vigil::core::simulation
