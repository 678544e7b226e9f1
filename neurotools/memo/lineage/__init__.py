"""What a result was made from: `tree` is what is known, `reading` finds it, `drawing` shows it.

What entries record of it is noted in `neurotools.memo.making`.
"""
