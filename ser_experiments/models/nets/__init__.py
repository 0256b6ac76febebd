"""Networks in plain torch behind the scikit-learn contract."""
