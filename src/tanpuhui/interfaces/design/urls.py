"""Addresses of the style guide; the views answer 404 outside DEBUG and demonstration."""

from django.urls import path

from tanpuhui.interfaces.design import views

app_name = "design"
urlpatterns = [
    path("", views.parts, name="parts"),
    path("<slug:page>/", views.sample, name="sample"),
]
