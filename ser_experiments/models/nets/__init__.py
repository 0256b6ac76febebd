"""Networks in plain torch behind scikit-learn's contract; torch is imported when one is fitted or asked."""
